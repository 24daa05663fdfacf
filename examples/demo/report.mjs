/**
 * How the demo speaks: sections, aligned figures, and checks that decide the exit code.
 *
 * Colour and the moving bar are for a terminal; a pipe gets plain lines, so that a log stays
 * readable.
 */
import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';
import cliProgress from 'cli-progress';

const isTerminal = process.stdout.isTTY === true;
const hasColour = isTerminal && !process.env.NO_COLOR;
const LABEL_WIDTH = 16;
const VALUE_WIDTH = 12;
const PIPE_STEPS = 4;
const TEXT_WIDTH = 78;

const style = (format, text) => (hasColour ? styleText(format, text) : text);

let passedCount = 0;
let failedCount = 0;

export function section(title) {
  console.log(`\n${style('bold', title)}`);
}

/** `label   figure   remark`, the figures under one another. */
export function figure(label, value, remark = '') {
  const columns = `  ${label.padEnd(LABEL_WIDTH)}${value.padStart(VALUE_WIDTH)}`;
  console.log(remark === '' ? columns : `${columns}   ${style('dim', remark)}`);
}

/** Words under a heading, wrapped; lines after the first stand further in. */
export function text(words) {
  let line = ' ';
  for (const word of words.split(' ')) {
    if (line.length + 1 + word.length > TEXT_WIDTH) {
      console.log(line);
      line = '     ';
    }
    line += ` ${word}`;
  }
  console.log(line);
}

/** States a fact that must hold; one that does not makes the demo fail. */
export function check(fact, holds) {
  if (holds) passedCount += 1;
  else failedCount += 1;
  console.log(`  ${holds ? style('green', '✓') : style('red', '✗ FAILED:')} ${fact}`);
}

/** The last line; true when every check held. */
export function conclude() {
  const total = passedCount + failedCount;
  const line =
    failedCount === 0 ? `All ${total} checks passed.` : `${failedCount} of ${total} checks failed.`;
  console.log(`\n${style(failedCount === 0 ? ['bold', 'green'] : ['bold', 'red'], line)}`);
  return failedCount === 0;
}

/** A bar on a terminal, a line for every quarter elsewhere. */
export function progress(label, total) {
  if (!isTerminal) return plainProgress(label, total);
  const format = `  ${label.padEnd(LABEL_WIDTH)}{bar} {percentage}%  {value} of {total}`;
  const bar = new cliProgress.SingleBar(
    { format, barsize: 30, hideCursor: true, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function plainProgress(label, total) {
  let nextStep = 1;
  return {
    update(done) {
      if (done < (total * nextStep) / PIPE_STEPS) return;
      nextStep = Math.floor((done * PIPE_STEPS) / total) + 1;
      figure(label, formatCount(done), `of ${formatCount(total)}`);
    },
    stop() {},
  };
}

// ------------------------------------------------------------------------------ figures

export const formatCount = (count) => Math.round(count).toLocaleString('en-US');

export const formatBytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

export function formatMs(durationMs) {
  if (durationMs >= 1000) return `${(durationMs / 1000).toFixed(2)} s`;
  if (durationMs >= 1) return `${durationMs.toFixed(1)} ms`;
  return `${(durationMs * 1000).toFixed(1)} µs`;
}

export const formatRate = (count, durationMs) => `${formatCount((count * 1000) / durationMs)}/s`;

/** Runs `work` once: what it returned, and how long it took. */
export function timed(work) {
  const startMs = performance.now();
  const result = work();
  return { result, durationMs: performance.now() - startMs };
}

/** How long a short piece of work usually takes: the median, as the machine has other work too. */
export function usualMs(work, repeatCount = 501) {
  const durations = Array.from({ length: repeatCount }, () => timed(work).durationMs);
  durations.sort((left, right) => left - right);
  return durations[repeatCount >>> 1];
}
