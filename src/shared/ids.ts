/**
 * Numbers that must not be taken for one another, and the only places that make them.
 */
declare const pageIdBrand: unique symbol;
declare const addressBrand: unique symbol;

/** Position of a page in the file, in pages; 0 is a meta area and so means "none". */
export type PageId = number & { readonly [pageIdBrand]: true };
/** A byte offset in the shared memory. */
export type Address = number & { readonly [addressBrand]: true };
/** Rises by one per commit; exact as a double for longer than any file lives. */
export type TxnId = number;

export function toPageId(value: number): PageId {
  return value as PageId;
}
export function toAddress(value: number): Address {
  return value as Address;
}
export const NO_PAGE = toPageId(0);

/**
 * A reference to a page. `high < 0` marks a stamp: the page belongs to the open transaction and has
 * no checksum yet; `low` is then the generation it was last made in. Otherwise both words are the
 * 63-bit checksum of the page's stored bytes.
 */
export interface PagePointer {
  pageId: PageId;
  low: number;
  high: number;
}

export const STAMP_HIGH = -(2 ** 31);
