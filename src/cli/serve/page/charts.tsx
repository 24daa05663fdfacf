/**
 * Charts of moments: bars, and lines on a scale of powers of ten.
 */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { resolved } from './format.ts';
import 'uplot/dist/uPlot.min.css';

const HEIGHT = 260;

/** Keeps a chart in the page, as wide as there is room. */
function useChart(options: () => Omit<uPlot.Options, 'width' | 'height'>, data: uPlot.AlignedData) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const size = () => ({ width: Math.max(200, element.clientWidth), height: HEIGHT });
    chart.current = new uPlot({ ...size(), ...options() }, data, element);
    const watch = new ResizeObserver(() => chart.current?.setSize(size()));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.current?.destroy();
    };
  }, []);
  useEffect(() => chart.current?.setData(data), [data]);
  return place;
}

function axis(more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  // Asked for at each drawing: light may have become dark.
  const stroke = () => resolved('var(--quiet)');
  const line = { stroke: () => resolved('var(--line)'), width: 1 };
  return { stroke, grid: line, ticks: line, ...more };
}

/** Where the lines of a logarithmic scale stand. */
function powersOfTen(_: uPlot, __: number, low: number, high: number): number[] {
  const lines: number[] = [];
  for (let at = 10 ** Math.floor(Math.log10(low)); at <= high; at *= 10) lines.push(at);
  return lines;
}

interface BarChartProps {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly counts: readonly number[];
  readonly label: string;
}

export function BarChart({ times, counts, label }: BarChartProps) {
  const bars = uPlot.paths.bars?.({ size: [0.8] });
  const place = useChart(
    () => ({
      axes: [axis(), axis({ size: 60 })],
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
      series: [
        {},
        {
          label,
          stroke: resolved('var(--accent)'),
          fill: resolved('var(--accent)'),
          ...(bars ? { paths: bars } : {}),
          points: { show: false },
        },
      ],
      legend: { show: true },
    }),
    [[...times], [...counts]],
  );
  return <div class="chart" ref={place} />;
}

interface LineChartProps {
  readonly times: readonly number[];
  readonly lines: readonly {
    readonly label: string;
    readonly colour: string;
    readonly values: readonly (number | null)[];
  }[];
  readonly unit: string;
  readonly isLogarithmic?: boolean;
}

export function LineChart({ times, lines, unit, isLogarithmic = false }: LineChartProps) {
  const place = useChart(
    () => ({
      axes: [
        axis(),
        axis({
          size: 60,
          label: unit,
          labelSize: 18,
          ...(isLogarithmic ? { splits: powersOfTen } : {}),
        }),
      ],
      scales: {
        y: isLogarithmic ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
      },
      series: [
        {},
        ...lines.map((it) => ({ label: it.label, stroke: it.colour, width: 1.5, spanGaps: true })),
      ],
    }),
    [[...times], ...lines.map(({ values }) => [...values])],
  );
  return <div class="chart" ref={place} />;
}
