/** Names of journald's fields (systemd.journal-fields(7)), and of the members that they become. */

/** What is shipped where nothing else is configured. */
export const DEFAULT_FIELDS: readonly string[] = [
  '_SYSTEMD_UNIT',
  '_SYSTEMD_USER_UNIT',
  'SYSLOG_IDENTIFIER',
  '_COMM',
  '_PID',
  '_UID',
  '_TRANSPORT',
  '_BOOT_ID',
  'MESSAGE_ID',
  'CONTAINER_NAME',
];

/** Fields that name an entry's service where nothing else is configured, the first that it has. */
export const DEFAULT_SERVICE_FIELDS: readonly string[] = ['SYSLOG_IDENTIFIER', '_SYSTEMD_UNIT', '_COMM'];

/** Members that have a name of their own; other fields keep journald's, whose capitals cannot collide with a member of ours. */
export const MEMBER_NAMES: ReadonlyMap<string, string> = new Map([
  ['_SYSTEMD_UNIT', 'unit'],
  ['_SYSTEMD_USER_UNIT', 'user_unit'],
  ['SYSLOG_IDENTIFIER', 'identifier'],
  ['_COMM', 'comm'],
  ['_PID', 'pid'],
  ['_UID', 'uid'],
  ['_GID', 'gid'],
  ['_TRANSPORT', 'transport'],
  ['_BOOT_ID', 'boot_id'],
  ['MESSAGE_ID', 'message_id'],
  ['CONTAINER_NAME', 'container_name'],
]);

const NAME = /^[A-Z_][A-Z0-9_]{0,63}$/;

/** Whether a field may be called that: capitals, digits and underscores, 64 at most, as journald has it. */
export function isFieldName(name: string): boolean {
  return NAME.test(name);
}

/** Whether this is a field's name, or one with `*` for any characters. */
export function isFieldPattern(pattern: string): boolean {
  return /^[A-Z_*][A-Z0-9_*]{0,63}$/.test(pattern);
}
