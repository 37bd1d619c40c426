/** The `tally` command without its verbs: what all of them share. */
import {Command} from 'commander'
import {version} from '../kernel/version.ts'
import {addNodeOptions} from './node-options.ts'

export function createProgram(): Command {
  const program = new Command('tally')
    .description('Runs OCI containers, each under a supervisor of its own, and keeps a ledger of everything that happens to them.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('Use --help to see all commands and options.')
    .configureOutput({outputError: (text, write) => write(text.replace(/^error: /, 'tally: '))})
    .exitOverride()
  addNodeOptions(program)
  return program
}
