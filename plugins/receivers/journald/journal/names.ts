/** What the names in a journal directory say, as systemd-journald.service(8) and systemd-journal-remote.service(8) give them. */

/** The directory of a machine: its machine id (machine-id(5)), and behind a dot the journal namespace if it is not the default one. */
const MACHINE_DIRECTORY = /^[0-9a-f]{32}(?:\.(.+))?$/;

/** `.journal~` are files that were left unclean. */
const JOURNAL_FILE = /\.journal~?$/;

/** A user's file, `user-1000.journal`, or one of those archived or set aside, `user-1000@….journal`. */
const USER_FILE = /^user-\d+(?:@.*)?\.journal~?$/;

export function isJournalFile(name: string): boolean {
  return JOURNAL_FILE.test(name);
}

export function isUserFile(name: string): boolean {
  return USER_FILE.test(name);
}

/**
 * Whether a machine's directory called `name` holds a namespace that `wanted` means: the default one where that is undefined, a
 * `NAME`, `+NAME` for that and the default one, `*` for all (journalctl(1), `--namespace=`).
 */
export function isMachineDirectory(name: string, wanted: string | undefined): boolean {
  const found = MACHINE_DIRECTORY.exec(name);
  if (found === null) return false;
  const namespace = found[1];
  if (wanted === '*') return true;
  if (namespace === undefined) return wanted === undefined || wanted.startsWith('+');
  return namespace === wanted || `+${namespace}` === wanted;
}
