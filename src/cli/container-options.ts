/** The options of `run` and `create`, and the request that they make. */
import {resolve} from 'node:path'
import {type Command, Option} from 'commander'
import type {CreateRequestInput} from '../../machines/create-request.ts'
import {TallyError} from '../kernel/errors.ts'

export interface ContainerFlags {
  readonly name?: string
  readonly rootfs?: string
  readonly bundle?: string
  readonly env: readonly string[]
  readonly workdir?: string
  readonly user?: string
  readonly hostname?: string
  readonly network?: 'none' | 'host'
}

export function addContainerOptions(command: Command): Command {
  return command
    .argument('[command...]', 'what to run in the root file system, with its arguments')
    .passThroughOptions()
    .option('--name <id>', 'id of the container (default: a random one)')
    .option('--rootfs <dir>', 'directory to use as root file system')
    .option('--bundle <dir>', 'OCI bundle, used as it is')
    .addOption(
      new Option('-e, --env <name=value>', 'set an environment variable, or pass one on by its name; may be repeated')
        .default([])
        .argParser(collect),
    )
    .option('-w, --workdir <dir>', 'working directory in the container (default: /)')
    .option('-u, --user <user[:group]>', "names of the container's own passwd and group files, or numbers (default: 0)")
    .option('--hostname <name>', 'host name in the container (default: the id)')
    .addOption(new Option('--network <mode>', 'none: loopback only; host: that of the host (default: none)').choices(['none', 'host']))
}

/** @throws TallyError INVALID_ARGUMENT */
export function toCreateRequest(
  flags: ContainerFlags,
  args: readonly string[],
  {namespace, autoRemove}: {readonly namespace: string; readonly autoRemove: boolean},
): CreateRequestInput {
  const common = {namespace, autoRemove, ...(flags.name !== undefined && {id: flags.name})}
  if ((flags.rootfs === undefined) === (flags.bundle === undefined)) {
    throw new TallyError('INVALID_ARGUMENT', 'expected one of --rootfs DIR and --bundle DIR')
  }
  if (flags.bundle !== undefined) {
    const refused = (['workdir', 'user', 'hostname', 'network'] as const)
      .filter((name) => flags[name] !== undefined)
      .map((name) => `--${name}`)
    if (flags.env.length > 0) refused.push('--env')
    if (args.length > 0) refused.push('a command')
    if (refused.length > 0)
      throw new TallyError(
        'INVALID_ARGUMENT',
        `expected --bundle alone, since a bundle is used as it is; got ${refused.join(', ')} as well`,
      )
    return {...common, bundle: resolve(flags.bundle)}
  }
  if (args.length === 0) throw new TallyError('INVALID_ARGUMENT', 'expected a command after the options')
  return {
    ...common,
    rootfs: resolve(flags.rootfs ?? ''),
    args: [...args],
    env: flags.env.flatMap(toVariable),
    ...(flags.workdir !== undefined && {cwd: flags.workdir}),
    ...(flags.user !== undefined && {user: flags.user}),
    ...(flags.hostname !== undefined && {hostname: flags.hostname}),
    ...(flags.network !== undefined && {network: flags.network}),
  }
}

/** `NAME` alone passes the caller's on, if there is one. */
function toVariable(entry: string): readonly string[] {
  if (entry.includes('=')) return [entry]
  const value = process.env[entry]
  return value === undefined ? [] : [`${entry}=${value}`]
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
