import type {Command} from 'commander'
import type {RestoreSpec} from '../../machines/schemas/checkpoint.ts'

export interface CriuFlags {
  readonly tcpEstablished?: true
  readonly fileLocks?: true
  readonly extUnixSk?: true
}

/** Resources that reach out of a container. A checkpoint and its restore need the same options. */
export function addCriuOptions(command: Command): Command {
  return command
    .option('--tcp-established', 'include open TCP connections')
    .option('--file-locks', 'include file locks')
    .option('--ext-unix-sk', 'include UNIX sockets whose other end is outside of the container')
}

export function toCriuOptions({tcpEstablished, fileLocks, extUnixSk}: CriuFlags): Omit<RestoreSpec, 'image'> {
  return {
    ...(tcpEstablished && {tcpEstablished}),
    ...(fileLocks && {fileLocks}),
    ...(extUnixSk && {externalUnixSockets: true}),
  }
}
