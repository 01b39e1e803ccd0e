/** Static deltas: making the objects of a commit out of another one's and little data; and making such data. */
export * from './apply.ts';
export * from './bspatch.ts';
export * from './describe.ts';
export * from './execute.ts';
export * from './files.ts';
export * from './generate.ts';
export * from './make.ts';
export * from './open.ts';
export * from './pack.ts';
export * from './plan.ts';
export * from './repo-store.ts';
export * from './total.ts';
