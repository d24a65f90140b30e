/**
 * The inner loops over bytes, in AssemblyScript: finding lines, validating JSON, reading names and times. Sixteen bytes are looked at
 * in one step, which is what makes a line of 240 bytes cost about a third of what the same loops cost in JavaScript.
 *
 * Nothing here allocates. The caller lays out the memory (see ../line_scanner.ts) and passes addresses; every text ends with a
 * newline and is followed by at least 32 readable bytes.
 */
export { setColumns } from './columns';
export { setStack } from './json';
export { setKeys } from './object';
export { next, scanLines } from './lines';
export { forgetNames, names, readNames, setNames } from './names';
export { readTimes } from './times';
