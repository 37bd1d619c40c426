/** The OCI `process` of an exec: that of its container, with the fields that the exec sets replaced. */
import {writeFile} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import * as z from 'zod'
import type {ExecSpec} from '../../machines/schemas/exec-spec.ts'
import {TallyError} from '../kernel/errors.ts'
import {mostSpecBytes, readTextFile} from './read-text-file.ts'
import {assertAccountFiles, resolveUser} from './spec/user.ts'

export interface ExecProcessOptions {
  /** Directory with config.json. */
  readonly bundle: string
  /** HOME was set in the create request: then it does not depend on the user of the exec. */
  readonly ownHome: boolean
  /** File to write, with mode 0600: an environment can contain secrets. */
  readonly processFile: string
}

const names = z.array(z.string())
/** The parts of a config.json that an exec uses. */
const containerSchema = z.object({
  root: z.object({path: z.string()}),
  process: z.looseObject({
    user: z.looseObject({uid: z.int().default(0), gid: z.int().default(0)}).optional(),
    env: names.optional(),
    cwd: z.string().default('/'),
    capabilities: z.looseObject({bounding: names.optional(), effective: names.optional(), permitted: names.optional()}).optional(),
  }),
})

/** @throws TallyError BUNDLE_INVALID, USER_NOT_FOUND, ROOTFS_INVALID */
export async function writeExecProcess(spec: ExecSpec, {bundle, ownHome, processFile}: ExecProcessOptions): Promise<void> {
  const process = toExecProcess(spec, readContainer(bundle), {bundle, ownHome})
  await writeFile(processFile, JSON.stringify(process), {mode: 0o600})
}

function readContainer(bundle: string): z.infer<typeof containerSchema> {
  const file = join(bundle, 'config.json')
  try {
    return containerSchema.parse(JSON.parse(readTextFile(file, mostSpecBytes)))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('BUNDLE_INVALID', `${file} cannot be read any more: ${why}`, {details: {file}, cause})
  }
}

function toExecProcess(
  spec: ExecSpec,
  {process, root}: z.infer<typeof containerSchema>,
  {bundle, ownHome}: Pick<ExecProcessOptions, 'bundle' | 'ownHome'>,
): unknown {
  const {args, env, cwd, user, terminal = false, consoleSize} = spec
  const rootfs = resolve(bundle, root.path)
  assertAccountFiles(rootfs)
  const asked = user === undefined ? undefined : resolveUser(rootfs, user)
  const {consoleSize: _, ...inherited} = process
  return {
    ...inherited,
    terminal,
    ...(terminal && consoleSize && {consoleSize: {width: consoleSize.columns, height: consoleSize.rows}}),
    args,
    env: withVariables(process.env ?? [], [
      ...(asked && !(ownHome && hasVariable(process.env ?? [], 'HOME')) ? [`HOME=${asked.home}`] : []),
      ...(terminal && !hasVariable(process.env ?? [], 'TERM') ? ['TERM=xterm'] : []),
      ...env,
    ]),
    cwd: cwd ?? process.cwd,
    ...(asked && {
      user: {uid: asked.uid, gid: asked.gid, ...(asked.additionalGids.length > 0 && {additionalGids: asked.additionalGids})},
      capabilities: toCapabilities(process.capabilities, asked.uid),
    }),
  }
}

/** Root has all capabilities of the bounding set; other users get them through setuid files only. */
function toCapabilities(own: z.infer<typeof containerSchema>['process']['capabilities'], uid: number): unknown {
  if (!own) return undefined
  const granted = uid === 0 ? (own.bounding ?? []) : []
  return {...own, effective: granted, permitted: granted, inheritable: [], ambient: []}
}

/** A later value of the same name replaces the earlier one, at its position. */
function withVariables(env: readonly string[], more: readonly string[]): readonly string[] {
  const byName = new Map([...env, ...more].map((entry) => [entry.split('=', 1)[0], entry]))
  return [...byName.values()]
}

function hasVariable(env: readonly string[], name: string): boolean {
  return env.some((entry) => entry.startsWith(`${name}=`))
}
