import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkDummy,
  checkEd25519,
  checkSpki,
  keyDirectoryNames,
  parseEd25519PublicKey,
  parseEd25519SecretKey,
  parseKeyList,
  parseSpkiPublicKey,
  signDummy,
  signEd25519,
  signSpki,
  verifyEd25519,
} from '../../../src/sign/index.ts';

// RFC 8032 7.1, tests 1 to 3: seed, public key, message, signature.
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
].map((row) => row.map((hex) => Buffer.from(hex, 'hex'))) as [Buffer, Buffer, Buffer, Buffer][];

const [A, B] = VECTORS.map(([seed, publicKey]) => ({ secret: Buffer.concat([seed, publicKey]), publicKey })) as [
  { secret: Buffer; publicKey: Buffer },
  { secret: Buffer; publicKey: Buffer },
];

describe('ed25519', () => {
  it.each(VECTORS)('signs and verifies the vectors of RFC 8032 (%#)', (seed, publicKey, message, signature) => {
    const secret = parseEd25519SecretKey(Buffer.concat([seed, publicKey]).toString('base64'));
    expect(signEd25519(secret, message)).toEqual(signature);
    expect(verifyEd25519(parseEd25519PublicKey(publicKey.toString('base64')), message, signature)).toBe(true);
  });

  it('refuses every change of one bit, and lengths that are not those of signatures', () => {
    const message = Buffer.from('text');
    const signature = signEd25519(A.secret, message);
    fc.assert(
      fc.property(fc.nat(signature.length * 8 - 1), (bit) => {
        const changed = Buffer.from(signature);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return !verifyEd25519(A.publicKey, message, changed);
      }),
    );
    expect(verifyEd25519(A.publicKey, message, signature.subarray(1))).toBe(false);
    expect(verifyEd25519(A.publicKey, message, Buffer.alloc(0))).toBe(false);
    expect(verifyEd25519(A.publicKey.subarray(1), message, signature)).toBe(false);
  });

  it('says for each signature whose it is', () => {
    const message = Buffer.from('text');
    const signatures = [signEd25519(A.secret, message), signEd25519(B.secret, message), Buffer.alloc(64)];
    const keyIds = [A, B].map(({ publicKey }) => publicKey.toString('hex'));
    expect(checkEd25519(message, signatures, { trusted: [B.publicKey, A.publicKey] })).toEqual([
      { kind: 'ed25519', status: 'good', keyId: keyIds[0] },
      { kind: 'ed25519', status: 'good', keyId: keyIds[1] },
      { kind: 'ed25519', status: 'key-missing', keyId: '' },
    ]);
    const revoked = checkEd25519(message, signatures, { trusted: [A.publicKey, B.publicKey], revoked: [A.publicKey] });
    expect(revoked.map(({ status }) => status)).toEqual(['key-revoked', 'good', 'key-missing']);
  });

  it('refuses keys of a wrong length, of wrong halves, and what is not base64', () => {
    const halves = Buffer.concat([A.secret.subarray(0, 32), B.publicKey]);
    for (const text of ['', 'AAAA', '!!!!', A.publicKey.toString('base64'), halves.toString('base64')]) {
      expect(() => parseEd25519SecretKey(text)).toThrow(expect.objectContaining({ code: 'key-invalid' }));
    }
    expect(() => parseEd25519PublicKey(A.secret.toString('base64'))).toThrow('64 bytes, expected 32');
  });

  it('never repeats a secret in an error', () => {
    const secret = Buffer.concat([A.secret.subarray(0, 32), B.publicKey]).toString('base64');
    try {
      parseEd25519SecretKey(secret);
    } catch (error) {
      expect(JSON.stringify([error, (error as Error).message])).not.toContain(secret.slice(0, 20));
      return;
    }
    throw new Error('a wrong key was accepted');
  });
});

describe('key lists', () => {
  it('read one key per line and report the lines that are none', () => {
    const text = `${A.publicKey.toString('base64')}\n\n  ${B.publicKey.toString('base64')}  \r\nnonsense\nAAAA`;
    const { keys, problems } = parseKeyList(text, parseEd25519PublicKey);
    expect(keys).toEqual([A.publicKey, B.publicKey]);
    expect(problems.map(({ line }) => line)).toEqual([4, 5]);
  });

  it('lie under the names that ostree looks for', () => {
    expect(keyDirectoryNames('ed25519')).toEqual({
      trusted: ['trusted.ed25519', 'trusted.ed25519.d'],
      revoked: ['revoked.ed25519', 'revoked.ed25519.d'],
    });
  });
});

describe('spki', () => {
  const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
  const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
  const pem = (label: string, der: Buffer): string =>
    `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
  const secretPem = pem('PRIVATE KEY', Buffer.concat([PKCS8_PREFIX, A.secret.subarray(0, 32)]));
  const publicDer = Buffer.concat([SPKI_PREFIX, A.publicKey]);

  it('signs and verifies with PEM and DER keys, equal to ed25519 for such keys', () => {
    const message = Buffer.from('text');
    const signature = signSpki(secretPem, message);
    expect(signature).toEqual(signEd25519(A.secret, message));
    expect(parseSpkiPublicKey(pem('PUBLIC KEY', publicDer))).toEqual(publicDer);
    const key = parseSpkiPublicKey(publicDer.toString('base64'));
    expect(checkSpki(message, [signature], { trusted: [key] })).toEqual([
      { kind: 'spki', status: 'good', keyId: publicDer.toString('hex') },
    ]);
    expect(checkSpki(Buffer.from('other'), [signature], { trusted: [key] })[0]?.status).toBe('key-missing');
  });

  it('refuses what is no key', () => {
    expect(() => parseSpkiPublicKey('AAAA')).toThrow(expect.objectContaining({ code: 'key-invalid' }));
    expect(() => signSpki('no key', Buffer.alloc(1))).toThrow(expect.objectContaining({ code: 'key-invalid' }));
  });
});

describe('dummy', () => {
  it('is good only where it is enabled', () => {
    const signature = signDummy('MYKEY', { enabled: true });
    expect(checkDummy([signature], ['X', 'MYKEY'], { enabled: true })[0]?.status).toBe('good');
    expect(checkDummy([signature], ['X'], { enabled: true })[0]?.status).toBe('key-missing');
    expect(checkDummy([signature], ['MYKEY'], { enabled: false })[0]?.status).toBe('key-missing');
    expect(() => signDummy('MYKEY', { enabled: false })).toThrow(expect.objectContaining({ code: 'not-supported' }));
  });
});
