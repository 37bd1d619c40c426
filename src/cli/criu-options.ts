import type {Command} from 'commander'
import type {RestoreSpec} from '../../machines/schemas/checkpoint.ts'

export interface CriuFlags {
  readonly tcpEstablished?: true
  readonly fileLocks?: true
  readonly extUnixSk?: true
}

/** What reaches out of a container: the same for a checkpoint and for what is made from it. */
export function addCriuOptions(command: Command): Command {
  return command
    .option('--tcp-established', 'with its open TCP connections')
    .option('--file-locks', 'with its locks on files')
    .option('--ext-unix-sk', 'with UNIX sockets whose other end is outside')
}

export function toCriuOptions({tcpEstablished, fileLocks, extUnixSk}: CriuFlags): Omit<RestoreSpec, 'image'> {
  return {
    ...(tcpEstablished && {tcpEstablished}),
    ...(fileLocks && {fileLocks}),
    ...(extUnixSk && {externalUnixSockets: true}),
  }
}
