/**
 * Which nats-server wrote the store of the embedded server. MUST hold: no server of an older minor release starts on it, since it may
 * misread the store without an error and lose what it writes; achieved by recording the version beside the store. Patch releases of one
 * minor release can read each other's stores.
 */
import {execFile} from 'node:child_process'
import {globSync, readFileSync, statSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {TallyError} from '../kernel/errors.ts'

const execute = promisify(execFile)
const askPatienceMs = 10_000

export interface StoreOptions {
  readonly binary: string
  /** The directory of the store. */
  readonly dir: string
}

/** Before a server starts on the store. @throws TallyError NATS_TOO_OLD */
export async function assertReadsStore({binary, dir}: StoreOptions): Promise<void> {
  const writer = readWriter(dir)
  if (writer === undefined) return
  const server = await askVersion(binary)
  // A server that does not say its version is started.
  if (server === undefined || !isOlder(server, writer.version)) return
  const known = writer.isExact ? writer.version : `${writer.version} or newer`
  throw new TallyError(
    'NATS_TOO_OLD',
    `the store ${join(dir, 'store')} was written by nats-server ${known}, and ${binary} is ${server}, which may misread it: ` +
      `expected --nats-server to name one of ${toMinor(writer.version)} or newer; or move the store away, and containers that are there publish their journals again, ` +
      'while the events of those that were deleted stay behind in it',
    {details: {store: join(dir, 'store'), writtenBy: writer.version, server}},
  )
}

/** Once a server runs on the store. */
export async function noteWriter(dir: string, version: string | undefined): Promise<void> {
  if (version === undefined || readNote(dir) === version) return
  // On a full disk the older record stays.
  await writeFile(toNoteFile(dir), `${version}\n`, {mode: 0o600}).catch(() => {})
}

interface Writer {
  readonly version: string
  /** Otherwise the writer may have been newer than this. */
  readonly isExact: boolean
}

function readWriter(dir: string): Writer | undefined {
  const version = readNote(dir)
  if (version !== undefined) return {version, isExact: true}
  return hasNewerIndex(dir) ? {version: '2.10', isExact: false} : undefined
}

function readNote(dir: string): string | undefined {
  try {
    const version = readFileSync(toNoteFile(dir), 'utf8').trim()
    return toParts(version) && version
  } catch {
    return undefined
  }
}

function toNoteFile(dir: string): string {
  return join(dir, 'store-version')
}

/** For stores without a record, of earlier releases of Tallyman: nats-server writes `index.db` from 2.10 on, and before that an `.idx` beside each block. */
function hasNewerIndex(dir: string): boolean {
  const newest = (pattern: string) =>
    Math.max(0, ...globSync(join(dir, 'store/jetstream/*/streams/*/msgs', pattern)).map((path) => statSync(path).mtimeMs))
  return newest('index.db') > newest('*.idx')
}

/** `nats-server: v2.9.10` */
async function askVersion(binary: string): Promise<string | undefined> {
  try {
    const {stdout} = await execute(binary, ['--version'], {timeout: askPatienceMs})
    return /v(\d+\.\d+\.\S+)/.exec(stdout)?.[1]
  } catch {
    // If it cannot be executed at all, starting it reports that.
    return undefined
  }
}

function toMinor(version: string): string {
  return version.split('.', 2).join('.')
}

/** Whether it is of an older minor release. */
function isOlder(one: string, other: string): boolean {
  const [a, b] = [toParts(one), toParts(other)]
  if (!a || !b) return false
  return a.major < b.major || (a.major === b.major && a.minor < b.minor)
}

function toParts(version: string): {readonly major: number; readonly minor: number} | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return major === undefined ? undefined : {major: Number(major), minor: Number(minor)}
}
