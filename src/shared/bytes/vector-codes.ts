/**
 * A vector as int8 codes, and what they prove about its distance from a query.
 *
 * A row is x ~ s c: the scale s, the codes c, the norm of the residual r = x - s c, the norm of x.
 * A query is q ~ t d, with codes d of 16 bits, and e = q - t d. Then
 *
 *   q.x = (t d + e).x = t s (d.c) + t d.r + e.x,
 *
 * and by Cauchy-Schwarz, since t d = q - e,
 *
 *   |q.x - t s (d.c)| <= |q| |r| + |e| (|x| + |r|).
 *
 * The integer product d.c is exact: the query's codes are small enough that it fits 31 bits. All
 * the rest is done in doubles, with a margin for their rounding; norms are stored rounded up. A
 * vector so short that float32 cannot tell its norm well enough is always a survivor. The margin of
 * l2 is a share of (|q| + |x|)^2, which bounds the squared distance: beside a long query, distances
 * can be equal as doubles that are not, and then keys decide.
 *
 * A part of the product says enough about many vectors already. With h for the first components
 * and u for the others,
 *
 *   q.x <= t s (d_h.c_h) + |q| |r| + |e| (|x| + |r|) + (|q_u| + |e|) (|x_u| + |r|),
 *
 * since |t d_h| <= |q| + |e|, and this is never below the bound that the whole product gives. So a
 * row says at three places how long what is behind them is.
 *
 * A vector that is too long for one row stands in several, its segments; the header is that of the
 * first, and zero in the others. Codes may be read a little behind a row's end: the query's are
 * zero there.
 *
 *   offset  size  field of a row
 *        0     4  s            float32
 *        4     4  |r|          float32, rounded up
 *        8     4  |x|          float32, rounded up
 *       12     3  |x_u| by |x|, in 255ths, rounded up: behind the places where a scan may stop
 *       15     1  zero
 *       16     W  codes        int8
 *
 *   offset  size  field of a query
 *        0     8  t            double
 *        8     8  |q|          double
 *       16     8  |e|          double, rounded up
 *       24     8  threshold    vectors whose goodness cannot reach it are left out
 *       32     4  metric       0 cosine, 1 dot, 2 l2
 *       36     4  W            codes of a row
 *       40     4  segments of a vector
 *       44     4  rows of an entry of the tree
 *       48     4  bytes of a row
 *       52     4  number of the entry that is scanned next
 *       56     4  where the output goes on
 *       60     4  where it must end
 *       64    12  |q_u| + |e|  float32, rounded up, behind each of the three places
 *       80    12  the three places: codes before them; W and more where a scan does not stop
 *       96        codes        int16, W for each segment, padded with zeros to a multiple of 16
 *
 * Goodness is what is greater for nearer vectors: q.x / |x| for cosine, q.x for dot, 2 q.x - |x|^2
 * for l2; the query's own norm changes no order.
 *
 *   offset  size  field of a survivor           offset  size  field of a part, for each segment
 *        0     4  slot                               0     4  d.c of the segment
 *        8     8  lower bound of its goodness        4    12  s, |r| and |x| of its row
 *       16     8  upper bound
 */
export const ROW_HEADER_BYTES = 16;
export const QUERY_HEADER_BYTES = 96;
export const SURVIVOR_BYTES = 24;
export const PART_BYTES = 16;
export const METRICS = ['cosine', 'dot', 'l2'] as const;
/** How near two vectors are: by angle ('cosine'), inner product ('dot'), distance ('l2'). */
export type Metric = (typeof METRICS)[number];

/** Offsets of a query's fields that change from scan to scan. */
export const QUERY_THRESHOLD = 24;
export const QUERY_ENTRY = 52;
export const QUERY_OUT = 56;
export const QUERY_OUT_END = 60;

const CODE_MAX = 127;
const QUERY_CODE_MAX = 32767;
/** Codes per step of the kernel. */
const LANES = 16;
/** A scan may stop after one, two and three quarters of a row that is not too short for that. */
const QUARTERS = 4;
const STOPPING_WIDTH_MIN = 64;
const SHARE_MAX = 255;
/** Of the sums of squares of up to 16384 doubles. */
const ROUNDING = 1e-11;

/** Page header, and what a leaf of numbered entries has in common. */
const LEAF_OVERHEAD_BYTES = 40;
/** A slot and a length. */
const ENTRY_OVERHEAD_BYTES = 10;
/** An entry takes a quarter of a page at most, its key included. */
const KEY_BYTES = 16;

/** How the codes of a keyspace's vectors lie in entries of a tree. */
export interface VectorLayout {
  readonly dimension: number;
  /** Rows that a vector takes; 1 but for long ones. */
  readonly segments: number;
  /** Codes of a row. */
  readonly width: number;
  /** Bytes of a row. */
  readonly stride: number;
  /** Vectors in an entry; 1 when a vector has several segments. */
  readonly rowsPerEntry: number;
  /** Bytes of an entry. */
  readonly entryBytes: number;
  /** How many codes come before the three places where a scan may stop, and all of them. */
  readonly stops: readonly number[];
}

function entriesPerPage(nodeBytes: number, entryBytes: number): number {
  return Math.floor((nodeBytes - LEAF_OVERHEAD_BYTES) / (entryBytes + ENTRY_OVERHEAD_BYTES));
}

/** The layout that fits most vectors into a page. */
export function vectorLayout(dimension: number, nodeBytes: number): VectorLayout {
  const bytesMax = nodeBytes / 4 - KEY_BYTES;
  const whole = ROW_HEADER_BYTES + dimension;
  if (whole > bytesMax) return segmentedLayout(dimension, nodeBytes, bytesMax);
  let rowsPerEntry = 1;
  let best = 0;
  for (let rows = 1; rows * whole <= bytesMax; rows++) {
    const fitting = rows * entriesPerPage(nodeBytes, rows * whole);
    if (fitting >= best) [best, rowsPerEntry] = [fitting, rows];
  }
  const row = { segments: 1, width: dimension, stride: whole };
  const stops = stopsOf(dimension, 1);
  return { dimension, ...row, rowsPerEntry, entryBytes: rowsPerEntry * whole, stops };
}

function segmentedLayout(dimension: number, nodeBytes: number, bytesMax: number): VectorLayout {
  const least = Math.ceil(dimension / (bytesMax - ROW_HEADER_BYTES));
  const options = Array.from({ length: least + 2 }, (_, more) => {
    const segments = least + more;
    const width = Math.ceil(dimension / segments / LANES) * LANES;
    const stride = ROW_HEADER_BYTES + width;
    const stops = stopsOf(width, segments);
    return { dimension, segments, width, stride, rowsPerEntry: 1, entryBytes: stride, stops };
  }).filter(({ entryBytes }) => entryBytes <= bytesMax);
  const pagesPerVector = (layout: VectorLayout) =>
    layout.segments / entriesPerPage(nodeBytes, layout.entryBytes);
  return options.reduce((a, b) => (pagesPerVector(b) < pagesPerVector(a) ? b : a));
}

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);

/** The least float32 that is not below `value`, which is not negative. */
function roundedUp(value: number): number {
  float[0] = value;
  if ((float[0] as number) < value) floatBits[0] = (floatBits[0] as number) + 1;
  return float[0] as number;
}

/** How many codes come before the places where a scan may stop, and their end. */
function stopsOf(width: number, segments: number): readonly number[] {
  const isShort = width < STOPPING_WIDTH_MIN || segments > 1;
  const whole = Math.ceil(width / LANES) * LANES;
  const places = [1, 2, 3].map((quarter) => {
    return isShort ? whole : Math.floor((quarter * width) / QUARTERS / LANES) * LANES;
  });
  return [...places, whole];
}

function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let at = 0; at < values.length; at++) {
    const value = Math.abs(values[at] as number);
    if (value > max) max = value;
  }
  return max;
}

/** Bytes of all rows of a vector. */
export function rowsBytes({ segments, stride }: VectorLayout): number {
  return segments * stride;
}

/** Added to a number and taken away again, it leaves the nearest whole one, an even one of two. */
const ROUNDER = 1.5 * 2 ** 52;

/** Sums of squares of some components and of what their codes leave of them. */
interface Squares {
  norm: number;
  residual: number;
}

/** Writes the codes of the components `from` to `to`; adds their squares. */
function writeCodes(
  vector: Float32Array,
  from: number,
  to: number,
  scale: number,
  target: Uint8Array,
  offset: number,
  squares: Squares,
): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let norm = 0;
  let residual = 0;
  for (let at = from; at < to; at++) {
    const value = vector[at] as number;
    let code = value * inverse + ROUNDER - ROUNDER;
    // Only where the scale is so small that float32 hardly has it.
    if (code > CODE_MAX) code = CODE_MAX;
    else if (code < -CODE_MAX) code = -CODE_MAX;
    target[offset + at] = code;
    const rest = value - scale * code;
    residual += rest * rest;
    norm += value * value;
  }
  squares.norm += norm;
  squares.residual += residual;
}

/** Writes the rows of a vector of float32 numbers, one behind the other. */
export function writeRows(layout: VectorLayout, vector: Float32Array, target: Uint8Array): void {
  const { stride, segments, stops } = layout;
  target.fill(0, 0, segments * stride);
  const scale = Math.fround(largest(vector) / CODE_MAX);
  const squares = { norm: 0, residual: 0 };
  const before = [0, 0, 0];
  if (segments > 1) writeSegments(layout, vector, scale, target, squares);
  else {
    let from = 0;
    stops.forEach((stop, index) => {
      const to = Math.min(stop, vector.length);
      writeCodes(vector, from, to, scale, target, ROW_HEADER_BYTES, squares);
      if (index < before.length) before[index] = squares.norm;
      from = to;
    });
  }
  const view = new DataView(target.buffer, target.byteOffset, ROW_HEADER_BYTES);
  const norm = roundedUp(Math.sqrt(squares.norm) * (1 + ROUNDING));
  view.setFloat32(0, scale, true);
  view.setFloat32(4, roundedUp(Math.sqrt(squares.residual) * (1 + ROUNDING)), true);
  view.setFloat32(8, norm, true);
  if (segments > 1 || norm === 0) return;
  before.forEach((sum, index) => {
    // The sums before differ from those behind by rounding only, of the whole.
    const tail = Math.sqrt(Math.max(0, squares.norm - sum) + squares.norm * ROUNDING);
    // A norm that float32 does not hold is infinite, and such a vector is always a survivor.
    target[12 + index] = Math.min(SHARE_MAX, Math.ceil((SHARE_MAX * tail) / norm));
  });
}

function writeSegments(
  { segments, stride, width }: VectorLayout,
  vector: Float32Array,
  scale: number,
  target: Uint8Array,
  squares: Squares,
): void {
  for (let segment = 0; segment < segments; segment++) {
    const first = segment * width;
    const codes = segment * stride + ROW_HEADER_BYTES - first;
    const end = Math.min(vector.length, first + width);
    writeCodes(vector, first, end, scale, target, codes, squares);
  }
}

/** Bytes of a query. */
export function queryBytes({ segments, width }: VectorLayout): number {
  return QUERY_HEADER_BYTES + 2 * Math.ceil((segments * width) / LANES) * LANES;
}

/** A query as the kernels take it; at first every vector can reach its threshold. */
export function encodeQuery(
  layout: VectorLayout,
  vector: Float32Array,
  metric: Metric,
): Uint8Array {
  const bytes = new Uint8Array(queryBytes(layout));
  const view = new DataView(bytes.buffer);
  const { width, segments } = layout;
  // The sum of all products fits 31 bits, whatever the row's codes are.
  const codeMax = Math.min(QUERY_CODE_MAX, Math.floor((2 ** 31 - 1) / (CODE_MAX * vector.length)));
  const scale = largest(vector) / codeMax;
  const inverse = scale === 0 ? 0 : 1 / scale;
  const codes = new Int16Array(bytes.buffer, QUERY_HEADER_BYTES);
  let error = 0;
  let norm = 0;
  const tails = [0, 0, 0];
  let last = tails.length - 1;
  for (let at = vector.length - 1; at >= 0; at--) {
    const value = vector[at] as number;
    const code = value * inverse + ROUNDER - ROUNDER;
    codes[at] = code;
    const rest = value - scale * code;
    error += rest * rest;
    norm += value * value;
    while (last >= 0 && at === layout.stops[last]) tails[last--] = norm;
  }
  error = Math.sqrt(error) * (1 + ROUNDING);
  view.setFloat64(0, scale, true);
  view.setFloat64(8, Math.sqrt(norm), true);
  view.setFloat64(16, error, true);
  view.setFloat64(QUERY_THRESHOLD, Number.NEGATIVE_INFINITY, true);
  tails.forEach((tail, index) => {
    const rounded = roundedUp((Math.sqrt(tail) + error) * (1 + ROUNDING));
    view.setFloat32(64 + 4 * index, rounded, true);
    view.setInt32(80 + 4 * index, layout.stops[index] as number, true);
  });
  const fields = [METRICS.indexOf(metric), width, segments, layout.rowsPerEntry, layout.stride];
  fields.forEach((field, index) => {
    view.setInt32(32 + 4 * index, field, true);
  });
  return bytes;
}
