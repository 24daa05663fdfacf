/** Styles are bundled into the page; they say nothing to the code. */
declare module '*.css';
