/**
 * Keys for encrypted databases. Nothing is here yet: it comes with encryption.
 */
export {};
