/** Sign: ed25519, OpenPGP and the rest: bytes and keys -> verdict. Knows neither network nor disk layout. */
export * from './dummy.ts';
export * from './ed25519.ts';
export * from './gpg-sign.ts';
export * from './key-list.ts';
export * from './key-listing.ts';
export * from './keyring.ts';
export * from './metadata.ts';
export * from './openpgp.ts';
export * from './sign-type.ts';
export * from './spki.ts';
export * from './verdict.ts';
