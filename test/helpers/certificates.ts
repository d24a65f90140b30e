/** X.509 certificates for tests (RFC 5280, DER as in X.690), made by hand so that no test needs a program for it. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface CertificateSpec {
  /** Common name of the subject. */
  readonly name: string;
  /** DNS names and IPv4 addresses that it is good for; default none. */
  readonly hosts?: readonly string[];
  /** Default an hour ago. */
  readonly from?: Date;
  /** Default in a day. */
  readonly until?: Date;
  /** Default: signed by itself. */
  readonly issuer?: Certificate;
  /** True for an authority. Default false. */
  readonly isAuthority?: boolean;
}

export interface Certificate {
  readonly name: string;
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const HOUR_MS = 3_600_000;

/** A certificate with a new key, on the curve P-256. */
export function makeCertificate(spec: CertificateSpec): Certificate {
  const { name, hosts = [], from = new Date(Date.now() - HOUR_MS), until = new Date(Date.now() + 24 * HOUR_MS) } = spec;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectId('2a8648ce3d040302')); // ecdsa-with-SHA256
  const serial = Buffer.concat([Buffer.of(1), randomBytes(8)]);
  const tbs = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))), // version 3
    tlv(0x02, serial),
    algorithm,
    distinguishedName(spec.issuer?.name ?? name),
    sequence(time(from), time(until)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions(hosts, spec.isAuthority ?? false))),
  );
  const signature = sign('sha256', tbs, spec.issuer?.privateKey ?? privateKey);
  const der = sequence(tbs, algorithm, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  const base64 = der.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    name,
    privateKey,
    certificate: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

function* extensions(hosts: readonly string[], isAuthority: boolean): Iterable<Buffer> {
  if (isAuthority)
    yield sequence(objectId('551d13'), tlv(0x01, Buffer.of(0xff)), tlv(0x04, sequence(tlv(0x01, Buffer.of(0xff))))); // basicConstraints, critical
  const names = hosts.map((host) => {
    const isAddress = /^[\d.]+$/.test(host);
    return isAddress ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));
  });
  if (names.length > 0) yield sequence(objectId('551d11'), tlv(0x04, sequence(...names))); // subjectAltName
  if (!isAuthority && names.length === 0) yield sequence(objectId('551d0f'), tlv(0x04, tlv(0x03, Buffer.of(7, 0x80)))); // keyUsage
}

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(objectId('550403'), tlv(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime; what RFC 5280 wants written otherwise before 2050 is read all the same. */
function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));
}

function objectId(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}
