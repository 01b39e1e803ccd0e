/** Commands about hacktree itself. */
import { type CommandSpec, command } from '../spec.ts';

export const help = command({
  id: 'help',
  area: 'tool',
  summary: 'Show help of a command',
  args: [{ name: 'command', many: true, summary: 'The words of a command or group' }],
  options: [],
  frontEnds: ['hacktree'],
});

export const completion = command({
  id: 'completion',
  area: 'tool',
  summary: 'Print a script that completes commands, options and refs in a shell',
  description: ['Load it with `source <(hacktree completion bash)`, or save it where the shell looks for completions.'],
  args: [{ name: 'shell', required: true, summary: 'bash, zsh or fish', completes: ['bash', 'zsh', 'fish'] }],
  options: [],
  frontEnds: ['hacktree'],
  examples: [
    { does: 'For all users of bash', line: 'hacktree completion bash > /etc/bash_completion.d/hacktree' },
    { does: 'For fish', line: 'hacktree completion fish > ~/.config/fish/completions/hacktree.fish' },
  ],
});

export const TOOL_COMMANDS = [help, completion] as const satisfies readonly CommandSpec[];
