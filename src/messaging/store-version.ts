/**
 * Which nats-server wrote the store of the embedded server. MUST hold: no server of an older minor release starts on it, since that may
 * misread it in silence and lose what it writes then; achieved by noting the version beside the store. Within a minor release all read
 * what the others write.
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
  /** With the store in it. */
  readonly dir: string
}

/** Before a server starts on the store. @throws TallyError NATS_TOO_OLD */
export async function assertReadsStore({binary, dir}: StoreOptions): Promise<void> {
  const writer = readWriter(dir)
  if (writer === undefined) return
  const server = await askVersion(binary)
  // One that does not say what it is, is not held up by that.
  if (server === undefined || !isOlder(server, writer.version)) return
  const known = writer.isExact ? writer.version : `${writer.version} or newer`
  throw new TallyError(
    'NATS_TOO_OLD',
    `the store ${join(dir, 'store')} was written by nats-server ${known}, and ${binary} is ${server}, which may misread it: ` +
      `expected --nats-server to name one of ${toMinor(writer.version)} or newer; or move the store away, and containers that are there publish their journals anew, ` +
      'while the events of those that were deleted stay behind in it',
    {details: {store: join(dir, 'store'), writtenBy: writer.version, server}},
  )
}

/** Once a server runs on the store. */
export async function noteWriter(dir: string, version: string | undefined): Promise<void> {
  if (version === undefined || readNote(dir) === version) return
  // On a full disk the older note has to do.
  await writeFile(toNoteFile(dir), `${version}\n`, {mode: 0o600}).catch(() => {})
}

interface Writer {
  readonly version: string
  /** Otherwise it may have been a newer one. */
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

/** Where an older release of ours has noted nothing: `index.db` is written from 2.10 on, and an `.idx` beside each block before that. */
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
    // Whether it can be executed at all is found out, and said, when it is started.
    return undefined
  }
}

function toMinor(version: string): string {
  return version.split('.', 2).join('.')
}

/** Of another minor release, and before it. */
function isOlder(one: string, other: string): boolean {
  const [a, b] = [toParts(one), toParts(other)]
  if (!a || !b) return false
  return a.major < b.major || (a.major === b.major && a.minor < b.minor)
}

function toParts(version: string): {readonly major: number; readonly minor: number} | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  return major === undefined ? undefined : {major: Number(major), minor: Number(minor)}
}
