/** A name for a numbering that nobody else has: 16 hexadecimal digits. */
export function newEpoch(random: () => number): string {
  const digits = Array.from({ length: 4 }, () =>
    Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0'),
  );
  return digits.join('');
}
