/**
 * The directory of a checkpoint. In addition to the files of criu it has what is needed to create the container again: its create request,
 * the changes of its overlay, and the names that criu uses for its standard streams. The manifest is written last: a directory without
 * one is an incomplete checkpoint.
 */
import {closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import * as z from 'zod'
import {createRequestSchema} from '../../machines/schemas/create-request.ts'
import {TallyError} from '../kernel/errors.ts'
import {mostSpecBytes, readTextFile} from './read-text-file.ts'

const manifestSchema = z.object({
  version: z.literal(1),
  /** RFC 3339 */
  takenAt: z.string(),
  /** The create request of the container. */
  request: createRequestSchema,
  /** The names of 0, 1 and 2 for criu; null for what is not a FIFO of the supervisor. */
  stdio: z.tuple([z.string().nullable(), z.string().nullable(), z.string().nullable()]),
})
export type CheckpointManifest = z.infer<typeof manifestSchema>

const manifestName = 'tally.json'
const changesName = 'tally-overlay'

/** Creates the directory, or accepts an empty one. @throws TallyError CHECKPOINT_INVALID */
export function prepareImage(image: string): void {
  try {
    mkdirSync(image, {recursive: true, mode: 0o700})
    if (readdirSync(image).length > 0) throw new Error('it is not empty')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('CHECKPOINT_INVALID', `expected a directory for the checkpoint at ${image}, empty or yet to be made: ${why}`, {
      details: {image},
      cause,
    })
  }
}

/** Used after a failed checkpoint. */
export function emptyImage(image: string): void {
  for (const name of readdirSync(image)) rmSync(join(image, name), {recursive: true, force: true})
}

export function writeManifest(image: string, manifest: Omit<CheckpointManifest, 'version'>): void {
  const file = join(image, manifestName)
  writeFileSync(`${file}.new`, `${JSON.stringify({version: 1, ...manifest}, null, 2)}\n`, {mode: 0o600, flush: true})
  renameSync(`${file}.new`, file)
}

/** @throws TallyError CHECKPOINT_INVALID */
export function readManifest(image: string): CheckpointManifest {
  try {
    return manifestSchema.parse(JSON.parse(readTextFile(join(image, manifestName), mostSpecBytes)))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('CHECKPOINT_INVALID', `expected a complete checkpoint at ${image}: ${why}`, {details: {image}, cause})
  }
}

/** The path for the changes of an overlay. */
export function toImageChanges(image: string): string {
  return join(image, changesName)
}

/** That path; undefined when the checkpoint has no changes of an overlay. */
export function findChanges(image: string): string | undefined {
  const changes = toImageChanges(image)
  return existsSync(changes) ? changes : undefined
}

/** O_PATH (open(2)). */
const pathOnly = 0o10000000

/**
 * The name by which criu identifies a file outside of the container: mount and inode (criu(8), `--external file[mnt_id:inode]`).
 * @returns null when there is no such file
 */
export function toCriuName(path: string): string | null {
  if (!existsSync(path)) return null
  const fd = openSync(path, pathOnly)
  try {
    const mount = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return `file[${Number(mount).toString(16)}:${fstatSync(fd).ino.toString(16)}]`
  } finally {
    closeSync(fd)
  }
}
