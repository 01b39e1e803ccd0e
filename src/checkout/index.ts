/** Checkout: placing a commit's tree as files, by hard link where it can be. Knows nothing of boot. */
export * from './checkout.ts';
export * from './many.ts';
export type { CheckoutOptions, UnionMode } from './settings.ts';
