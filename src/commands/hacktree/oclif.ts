/** The door to oclif: its parser alone, without plugins, configuration or help. Loaded by need (a third of start-up). */
export { parse } from '@oclif/core/parser';
