/** `static-delta verify`: checks the signatures of a static delta. */
import { openDelta, verifyDelta } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { deltaPlace } from '../delta-place.ts';
import type { Input } from '../spec.ts';
import type { deltaVerify } from '../table/deltas.ts';
import { keyTrust } from '../trust-keys.ts';

export async function run(context: Context, input: Input<typeof deltaVerify>): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const trust = attempt(context, 'Sign-type not supported', () => keyTrust(context, input));
  const signatures = attempt(context, 'Verification fails', () => verifyDelta(openDelta(repo, deltaPlace(input.delta)), trust));
  context.line('Verification OK');
  return { signatures };
}

/** A failure is said on standard output too. */
function attempt<T>(context: Context, complaint: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    context.line(complaint);
    throw error;
  }
}
