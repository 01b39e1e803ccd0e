/** `remote add-cookie`, `delete-cookie`, `list-cookies`: what is sent along to a remote. */
import { addCookie, deleteCookie, listCookies } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { printTime } from '../format-text.ts';
import type { Input } from '../spec.ts';
import type { remoteAddCookie, remoteDeleteCookie, remoteListCookies } from '../table/remotes.ts';

export const add = {
  async run(context: Context, { name, domain, path, cookie, value }: Input<typeof remoteAddCookie>): Promise<unknown> {
    addCookie(openRepo(context.repoPath), name, { domain, path, name: cookie, value });
    return undefined;
  },
};

export const remove = {
  async run(context: Context, { name, domain, path, cookie }: Input<typeof remoteDeleteCookie>): Promise<unknown> {
    deleteCookie(openRepo(context.repoPath), name, { domain, path, name: cookie });
    return undefined;
  },
};

export const list = {
  async run(context: Context, { name }: Input<typeof remoteListCookies>): Promise<unknown> {
    const cookies = listCookies(openRepo(context.repoPath), name);
    for (const { domain, path, name: cookie, value, expiresSec, secure } of cookies) {
      context.line('--');
      context.line(`Domain: ${domain}`);
      context.line(`Path: ${path}`);
      context.line(`Name: ${cookie}`);
      context.line(`Secure: ${secure ? 'yes' : 'no'}`);
      context.line(`Expires: ${printTime(expiresSec)}`);
      context.line(`Value: ${value}`);
    }
    return { name, cookies };
  },
};
