/** The user `nobody`, whom nothing is granted. */
const NOBODY = 65_534;

/**
 * Runs `action` as an ordinary user where root runs the tests, so that permissions count. It is the whole process that is that user
 * meanwhile, so one at a time.
 */
export async function asOrdinaryUser<T>(action: () => T | Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
