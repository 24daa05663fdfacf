/**
 * What a scanned row says of its vector's nearness, and whether it may be among the nearest.
 * ../../shared/bytes/vector-codes.ts draws rows and queries and proves the bounds.
 */

export const SURVIVOR: usize = 24;
/** Offsets of the query's fields. */
export const Q_SCALE: usize = 0;
export const Q_NORM: usize = 8;
export const Q_ERROR: usize = 16;
export const Q_THRESHOLD: usize = 24;
export const Q_METRIC: usize = 32;
export const Q_WIDTH: usize = 36;
export const Q_SEGMENTS: usize = 40;
export const Q_ROWS: usize = 44;
export const Q_STRIDE: usize = 48;
export const Q_ENTRY: usize = 52;
export const Q_OUT: usize = 56;
export const Q_OUT_END: usize = 60;
const Q_TAILS: usize = 64;
export const Q_STOPS: usize = 80;
export const Q_CODES: usize = 96;
/** No place to stop at: the product is whole. */
export const NO_STOP = 3;
const COSINE = 0;
const L2 = 2;
const ROUNDING: f64 = 1e-11;
const NORM_ROUNDING: f64 = 2.5e-7;
const NORM_MIN: f64 = 1e-30;
const FLOAT_ROUNDING: f32 = 1e-5;
const MARGIN_MIN: f32 = 1e-34;
const FLOAT_NORM_MIN: f32 = 1e-29;

// @ts-ignore: decorator
@inline
export function laneSum(v: v128): i32 {
  const pairs = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.add(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** Appends the vector to the survivors unless its upper bound is below the threshold. */
// @ts-ignore: decorator
@inline
export function judge(query: usize, row: usize, sum: i32, slot: i32, out: usize): usize {
  const norm = <f64>load<f32>(row, 8);
  const residual = <f64>load<f32>(row, 4);
  const queryNorm = load<f64>(query, Q_NORM);
  const estimate = <f64>sum * <f64>load<f32>(row) * load<f64>(query, Q_SCALE);
  const exact = queryNorm * residual + load<f64>(query, Q_ERROR) * (norm + residual);
  const error = exact + ROUNDING * (abs(estimate) + exact + queryNorm * norm);
  const metric = load<i32>(query, Q_METRIC);
  let lower = estimate - error;
  let upper = estimate + error;
  if (norm < NORM_MIN && norm != 0) {
    lower = -Infinity;
    upper = Infinity;
  } else if (metric == COSINE) {
    lower = norm == 0 ? 0 : lower / norm;
    upper = norm == 0 ? 0 : upper / norm;
    lower -= NORM_ROUNDING * abs(lower);
    upper += NORM_ROUNDING * abs(upper);
  } else if (metric == L2) {
    const square = norm * norm;
    const reach = queryNorm + norm;
    const rounding = ROUNDING * reach * reach;
    lower = 2 * lower - square - rounding;
    upper = 2 * upper - square * (1 - 2 * NORM_ROUNDING) + rounding;
  }
  if (upper < load<f64>(query, Q_THRESHOLD)) return out;
  store<i32>(out, slot);
  store<f64>(out, lower, 8);
  store<f64>(out, upper, 16);
  return out + SURVIVOR;
}

/** The lane sums of four vectors. */
// @ts-ignore: decorator
@inline
export function laneSums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}

/**
 * True when `judge` surely leaves all four rows out, by what the products are at a stop, or whole.
 * The same bounds in float32, with a margin that is wide against its rounding; where numbers are so
 * small or so large that it is not, false.
 */
// @ts-ignore: decorator
@inline
export function areFar(
  query: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  sums: v128,
  stop: i32,
): bool {
  const rowA = v128.load(a);
  const rowB = v128.load(b);
  const rowC = v128.load(c);
  const rowD = v128.load(d);
  const ab = v128.shuffle<i32>(rowA, rowB, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(rowC, rowD, 0, 4, 1, 5);
  const scale = v128.shuffle<i64>(ab, cd, 0, 2);
  const residual = v128.shuffle<i64>(ab, cd, 1, 3);
  const highAb = v128.shuffle<i32>(rowA, rowB, 2, 6, 3, 7);
  const highCd = v128.shuffle<i32>(rowC, rowD, 2, 6, 3, 7);
  const norm = v128.shuffle<i64>(highAb, highCd, 0, 2);
  const threshold = <f32>load<f64>(query, Q_THRESHOLD);
  const metric = load<i32>(query, Q_METRIC);
  const estimate = f32x4.mul(
    f32x4.mul(f32x4.convert_i32x4_s(sums), scale),
    f32x4.splat(<f32>load<f64>(query, Q_SCALE)),
  );
  const queryNorm = f32x4.splat(<f32>load<f64>(query, Q_NORM));
  const queryError = f32x4.splat(<f32>load<f64>(query, Q_ERROR));
  let error = f32x4.add(
    f32x4.mul(queryNorm, residual),
    f32x4.mul(queryError, f32x4.add(norm, residual)),
  );
  if (stop != NO_STOP) {
    const shares = v128.and(
      i32x4.shr_u(v128.shuffle<i64>(highAb, highCd, 1, 3), stop << 3),
      i32x4.splat(255),
    );
    const share = f32x4.mul(f32x4.convert_i32x4_u(shares), f32x4.splat(<f32>(1.0 / 255.0)));
    const tail = f32x4.splat(load<f32>(query + Q_TAILS + (<usize>stop << 2)));
    error = f32x4.add(error, f32x4.mul(tail, f32x4.add(f32x4.mul(share, norm), residual)));
  }
  // What the product has to reach: threshold |x|, threshold, or (threshold + |x|^2) / 2.
  const half = f32x4.mul(f32x4.splat(0.5), f32x4.mul(norm, norm));
  const fixed = f32x4.splat(metric == L2 ? threshold * 0.5 : threshold);
  const own = metric == L2 ? half : f32x4.splat(0);
  const wanted = metric == COSINE ? f32x4.mul(fixed, norm) : f32x4.add(fixed, own);
  const square = f32x4.mul(queryNorm, queryNorm); // a share of it is in the margin of l2
  const reach = metric == L2 ? f32x4.add(own, square) : f32x4.splat(0);
  const part = metric == COSINE ? f32x4.abs(wanted) : f32x4.add(f32x4.abs(fixed), reach);
  const sizes = f32x4.add(
    f32x4.add(f32x4.abs(estimate), error),
    f32x4.add(f32x4.mul(queryNorm, norm), part),
  );
  const margin = f32x4.mul(f32x4.splat(FLOAT_ROUNDING), sizes);
  const upper = f32x4.add(f32x4.add(estimate, error), margin);
  const isFar = v128.and(f32x4.lt(upper, wanted), f32x4.gt(margin, f32x4.splat(MARGIN_MIN)));
  const norms = f32x4.min(norm, queryNorm);
  return i32x4.all_true(v128.and(isFar, f32x4.gt(norms, f32x4.splat(FLOAT_NORM_MIN))));
}
