/**
 * The files of a TLS context: read and checked as a whole, and read again when one of them has changed on disk. Files that cannot be
 * used do not replace ones that can: certificate and key are seldom replaced in the same instant, and a context that worked until now is
 * better than none.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { describeError, errnoOf, SluiceError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Counter, Metrics } from '../core/metrics.ts';

export interface TlsPaths {
  /** Authorities that the peer is trusted by. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface TlsFilesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface TlsFilesOptions {
  readonly paths: TlsPaths;
  /** Whether the system's authorities stand in where `paths` has none. */
  readonly trustsSystem: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export class TlsFiles {
  readonly #options: TlsFilesOptions;
  readonly #parts: TlsFilesParts;
  readonly #reloads: { readonly ok: Counter; readonly failed: Counter };
  #context: SecureContext | undefined;
  #contextOptions: SecureContextOptions = {};
  /** What the files looked like when they were read last, for better or worse. */
  #seen = '';
  #expirySeconds = NaN;

  constructor(options: TlsFilesOptions, parts: TlsFilesParts) {
    const { metrics } = parts;
    const path = options.paths.certificate ?? options.paths.ca ?? '';
    const reloads = (result: string): Counter =>
      metrics.counter('sluice_tls_reloads_total', 'Times that changed TLS files were read again, by result.', { path, result });
    this.#options = options;
    this.#parts = parts;
    this.#reloads = { ok: reloads('ok'), failed: reloads('failed') };
    if (options.paths.certificate !== undefined)
      metrics.observed(
        'sluice_tls_certificate_expiry_timestamp_seconds',
        'When the own certificate expires, in seconds since 1970.',
        () => this.#expirySeconds,
        { path },
      );
  }

  /** The files that are in use; undefined before `load`. */
  get context(): SecureContext | undefined {
    return this.#context;
  }

  /** The same, as `Server.setSecureContext` takes them. */
  get contextOptions(): SecureContextOptions {
    return this.#contextOptions;
  }

  /**
   * Reads the files for the first time.
   *
   * @throws SluiceError `path_missing`, `permission_denied` or `config_invalid`, with the file and what to do.
   */
  load(): void {
    this.#seen = this.#look();
    this.#read();
  }

  /** Reads the files again where one has changed, and says whether there is a new context. Does not throw. */
  refresh(): boolean {
    const seen = this.#look();
    if (seen === this.#seen) return false;
    this.#seen = seen;
    try {
      this.#read();
    } catch (error) {
      this.#reloads.failed.add();
      this.#parts.log.warn('TLS files have changed and cannot be used; the ones before stay in use', {
        reason: describeError(error),
      });
      return false;
    }
    this.#reloads.ok.add();
    this.#parts.log.info('TLS files have changed and are used from now on', { ...this.#options.paths });
    return true;
  }

  #read(): void {
    const { paths, trustsSystem, minVersion } = this.#options;
    const ca = paths.ca === undefined ? [] : readCertificates('CA file', paths.ca);
    const own = paths.certificate === undefined ? [] : readCertificates('certificate', paths.certificate);
    const key = paths.key === undefined ? undefined : readKey(paths.key);
    const [leaf] = own;
    if (leaf !== undefined && key !== undefined && !leaf.checkPrivateKey(key)) {
      throw new SluiceError('config_invalid', `the key ${paths.key} does not belong to the certificate ${paths.certificate}`, {
        hint: 'the first certificate of the file must be the one that was made for the key',
      });
    }
    const options: SecureContextOptions = { minVersion };
    if (ca.length > 0) options.ca = ca.map(String);
    else if (trustsSystem) options.ca = systemAuthorities();
    if (own.length > 0) options.cert = own.map(String).join('');
    if (key !== undefined) options.key = key.export({ type: 'pkcs8', format: 'pem' });
    this.#context = contextOf(options, paths);
    this.#contextOptions = options;
    this.#expirySeconds = leaf === undefined ? NaN : leaf.validToDate.getTime() / 1000;
    for (const certificate of own) this.#warnOfDates(certificate, paths.certificate);
    for (const certificate of ca) this.#warnOfDates(certificate, paths.ca);
  }

  /** A certificate that is not valid now is no reason not to start: clocks are wrong at boot, and peers may not check. */
  #warnOfDates({ subject, validFromDate, validToDate }: X509Certificate, path: string | undefined): void {
    const nowMs = this.#parts.clock.wallMicros() / 1000;
    const facts = { path, subject: subject.replaceAll('\n', ', ') };
    if (nowMs > validToDate.getTime()) this.#parts.log.warn(`a certificate expired on ${validToDate.toISOString()}`, facts);
    else if (nowMs < validFromDate.getTime())
      this.#parts.log.warn(`a certificate is not valid before ${validFromDate.toISOString()}`, facts);
  }

  /** Changes whenever one of the files does: written, replaced, removed, or made readable. */
  #look(): string {
    return Object.values(this.#options.paths).map(lookAt).join(' ');
  }
}

function lookAt(path: string | undefined): string {
  if (path === undefined) return '';
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return errnoOf(error) ?? 'unknown';
  }
}

function readCertificates(what: string, path: string): X509Certificate[] {
  const found = readText(what, path).match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable(what, path, 'it holds no certificate in PEM');
  try {
    return found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw unusable(what, path, describeError(cause));
  }
}

function readKey(path: string): KeyObject {
  const pem = readText('key', path);
  if (pem.includes('ENCRYPTED')) {
    throw new SluiceError('config_invalid', `the key ${path} is protected by a passphrase`, {
      hint: 'write it without (openssl pkey -in old.key -out new.key), readable by the agent only',
    });
  }
  if (!pem.includes('PRIVATE KEY-----')) throw unusable('key', path, 'it holds no private key in PEM');
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw unusable('key', path, describeError(cause));
  }
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new SluiceError('path_missing', `the ${what} ${path} does not exist`, { hint: 'check the path under tls', cause });
    }
    if (errno === 'EACCES' || errno === 'EPERM') {
      throw new SluiceError('permission_denied', `the ${what} ${path} may not be read by this user`, {
        hint: 'give the user that the agent runs as the right to read the file, and to enter its directories',
        cause,
      });
    }
    throw unusable(what, path, errno === 'EISDIR' ? 'it is a directory' : (errno ?? describeError(cause)));
  }
}

function contextOf(options: SecureContextOptions, { certificate, ca }: TlsPaths): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw unusable('certificate', certificate ?? ca ?? '', describeError(cause)); // such as a key that is too small to be safe
  }
}

function systemAuthorities(): string[] {
  const authorities = getCACertificates('system');
  if (authorities.length > 0) return authorities;
  throw new SluiceError('config_invalid', 'no ca is given under tls, and the system trusts no authority', {
    hint: 'set tls.ca, or install the package ca-certificates',
  });
}

function unusable(what: string, path: string, why: string): SluiceError {
  return new SluiceError('config_invalid', `the ${what} ${path} cannot be used: ${why}`, {
    hint: 'it must be a file in PEM, such as openssl writes',
  });
}
