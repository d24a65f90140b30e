/** Entries with what formats are likely to get wrong, for systemd to write and to print. */
import type { ExportField } from '../../testdata/export_format.ts';

/** Values on both sides of every border between what is printable and what is not. */
const VALUES: readonly (string | readonly number[])[] = [
  '',
  ' ',
  '=',
  'a=b=c',
  'tab\there',
  'line one\nline two',
  '\n',
  'ends with a newline\n',
  'carriage\rreturn',
  'null\0byte',
  'escape \u001b[31mred\u001b[0m',
  'delete \u007f',
  'C1 \u0080',
  'C1 \u009f',
  'no break \u00a0',
  'ü € 😀 \u{10fffd}',
  'zero width \u200b, replacement \ufffd, byte order mark \ufeff',
  'noncharacter \ufdd0',
  'noncharacter \ufdef',
  'beside them \ufdcf \ufdf0',
  'noncharacter \ufffe',
  'noncharacter \u{1ffff}',
  'noncharacter \u{10ffff}',
  '\ue000 private use',
  'quotes " and \\ and / and \u2028',
  [0x80],
  [0xff],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xc3, 0x28],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xed, 0x9f, 0xbf],
  [0xed, 0xa0, 0x80],
  [0xee, 0x80, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x90, 0x80, 0x80],
  [0xf4, 0x8f, 0xbf, 0xbd],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88, 0x80, 0x80, 0x80],
  [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  Array.from({ length: 256 }, (_, byte) => byte),
  'long '.repeat(2000),
];

const BOOTS = ['11'.repeat(16), '22'.repeat(16)];

/** Every one of them as a message, as a value beside a message, and several together under one name; over two boots. */
export function edgeEntries(): ExportField[][] {
  const values = VALUES.map((value) => Buffer.from(typeof value === 'string' ? value : [...value]));
  const contents = values.flatMap((value, index): ExportField[][] => [
    [['MESSAGE', value], ...service(index)],
    [['MESSAGE', Buffer.from(`number ${index}`)], ['X_VALUE', value], ...service(index)],
    [['X_MANY', value], ['X_MANY', Buffer.from('between')], ['MESSAGE', Buffer.from('several')], ['X_MANY', values[0] ?? value], ['X_MANY', Buffer.from(`last ${index}`)]],
  ]);
  contents.push([['PRIORITY', Buffer.from('4')]], [['_BOOT_ID', Buffer.from(BOOTS[0] ?? '')], ['MESSAGE', Buffer.from('says its boot')]]);
  return contents.map((fields, index) => [...address(index, contents.length), ...fields]);
}

function service(index: number): ExportField[] {
  const name = `svc${index % 3}`;
  return [
    ['_HOSTNAME', Buffer.from('web-17')],
    ['_SYSTEMD_UNIT', Buffer.from(`${name}.service`)],
    ['_TRANSPORT', Buffer.from(index % 5 === 0 ? 'kernel' : 'stdout')],
    ['PRIORITY', Buffer.from(String(index % 8))],
    ['SYSLOG_IDENTIFIER', Buffer.from(name)],
    ['_PID', Buffer.from(String(100 + (index % 3)))],
  ];
}

/** Time and boot of an entry; the clock of the second boot begins anew. */
function address(index: number, count: number): ExportField[] {
  const isSecond = index >= count / 2;
  return [
    ['__REALTIME_TIMESTAMP', Buffer.from(String(1_700_000_000_000_000 + index * 250_000))],
    ['__MONOTONIC_TIMESTAMP', Buffer.from(String((isSecond ? index - Math.floor(count / 2) : index) * 250_000 + 7))],
    ['_BOOT_ID', Buffer.from(BOOTS[isSecond ? 1 : 0] ?? '')],
  ];
}
