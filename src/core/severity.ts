/**
 * Severities are the numbers of the OpenTelemetry logs data model (section "Field: SeverityNumber"): 1 to 24, and 0 for unset.
 */
export const SEVERITY_UNSET = 0;

/** Canonical name by severity number; index 0 is empty because an unset severity is not written. */
const NAMES: readonly string[] = buildNames();

function buildNames(): string[] {
  const names = [''];
  for (const base of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) names.push(base, base, base, base);
  names[10] = 'notice';
  names[18] = 'critical';
  names[19] = 'alert';
  names[21] = 'emergency';
  return names;
}

/** Syslog priority (RFC 5424, section 6.2.1: 0 emergency to 7 debug) to severity number, as the data model's appendix B maps it. */
const BY_SYSLOG_PRIORITY = [21, 19, 18, 17, 13, 10, 9, 5] as const;

const BY_NAME: ReadonlyMap<string, number> = new Map([
  ['trace', 1],
  ['debug', 5],
  ['info', 9],
  ['information', 9],
  ['informational', 9],
  ['notice', 10],
  ['warn', 13],
  ['warning', 13],
  ['err', 17],
  ['error', 17],
  ['crit', 18],
  ['critical', 18],
  ['alert', 19],
  ['fatal', 21],
  ['panic', 21],
  ['emerg', 21],
  ['emergency', 21],
]);

/** pino's and bunyan's numeric levels, which many JSON loggers write. */
const BY_PINO_LEVEL: ReadonlyMap<number, number> = new Map([
  [10, 1],
  [20, 5],
  [30, 9],
  [40, 13],
  [50, 17],
  [60, 21],
]);

/** The name that cfjs1 carries for a severity number; empty for unset or out of range. */
export function severityName(severity: number): string {
  return NAMES[severity] ?? '';
}

/** Severity number for a name in any case (`WARN`, `err`) or a syslog or pino number; 0 where it is none of them. */
export function severityFromText(text: string): number {
  const known = BY_NAME.get(text) ?? BY_NAME.get(text.toLowerCase());
  if (known !== undefined) return known;
  if (!/^\d{1,2}$/.test(text)) return SEVERITY_UNSET;
  const level = Number(text);
  return severityFromSyslog(level) || (BY_PINO_LEVEL.get(level) ?? SEVERITY_UNSET);
}

/** Severity number for a syslog priority, 0 where it is not one. */
export function severityFromSyslog(priority: number): number {
  return BY_SYSLOG_PRIORITY[priority] ?? SEVERITY_UNSET;
}
