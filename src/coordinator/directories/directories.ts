/** The node's two directories: made, checked, and locked, so that there is one coordinator for them. */
import {closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {hostname} from 'node:os'
import {join} from 'node:path'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {toLockFile} from '../../kernel/lock-file.ts'
import {lockFile} from '../../linux/file-lock.ts'
import {findLockHolder} from '../../linux/lock-holder.ts'
import {idSchema} from '../../../machines/ledger/ids.ts'

export interface NodeDirectories {
  readonly stateDir: string
  readonly runDir: string
}

/**
 * @returns the node's name, and the lock, which the kernel releases when this process ends
 * @throws TallyError STATE_DIR_INVALID, NODE_RUNNING
 */
export function claimDirectories({stateDir, runDir}: NodeDirectories, node: string | undefined): Disposable & {readonly node: string} {
  for (const directory of [stateDir, runDir]) claimDirectory(directory)
  const fd = openSync(toLockFile(stateDir), constants.O_RDWR | constants.O_CREAT, 0o600)
  if (!lockFile(fd)) {
    closeSync(fd)
    const pid = findLockHolder(toLockFile(stateDir))
    const who = pid === undefined ? 'a coordinator' : `a coordinator, pid ${pid},`
    throw new TallyError('NODE_RUNNING', `${who} already runs on the state directory ${stateDir}; \`tally down\` ends it`, {
      details: {stateDir, ...(pid !== undefined && {pid})},
    })
  }
  return {node: settleNode(stateDir, node), [Symbol.dispose]: () => closeSync(fd)}
}

/** A process that was being started when its coordinator was killed has the lock until it executes its program. */
const inheritedLock = {patienceMs: 2_000, retryMs: 20} as const

/** As `claimDirectories`, for a coordinator that is started after one that has died. */
export async function claimDirectoriesAgain(
  directories: NodeDirectories,
  node: string | undefined,
  clock: Pick<Clock, 'elapsed' | 'sleep'>,
): Promise<ReturnType<typeof claimDirectories>> {
  for (const giveUpAt = clock.elapsed() + inheritedLock.patienceMs; ; await clock.sleep(inheritedLock.retryMs)) {
    try {
      return claimDirectories(directories, node)
    } catch (error) {
      if (toErrorBody(error).code !== 'NODE_RUNNING' || clock.elapsed() > giveUpAt) throw error
    }
  }
}

/** Makes the directory if it is missing. Only its owner may write there, since that is as good as root on the node. @throws TallyError STATE_DIR_INVALID */
export function claimDirectory(directory: string): void {
  try {
    mkdirSync(directory, {recursive: true, mode: 0o700})
    const {uid, mode} = statSync(directory)
    const own = process.getuid?.() ?? 0
    if (uid !== own) throw new TallyError('STATE_DIR_INVALID', `expected ${directory} to belong to uid ${own}, got uid ${uid}`)
    if ((mode & 0o022) !== 0) {
      throw new TallyError(
        'STATE_DIR_INVALID',
        `expected ${directory} to be writable by its owner alone, got mode ${(mode & 0o777).toString(8)}`,
      )
    }
  } catch (cause) {
    if (cause instanceof TallyError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TallyError('STATE_DIR_INVALID', `cannot use the directory ${directory}: ${why}`, {cause})
  }
}

/** The node's name is in every event: a state directory keeps the name that it was made with. */
function settleNode(stateDir: string, wanted: string | undefined): string {
  const file = join(stateDir, 'node')
  if (!existsSync(file)) {
    const node = wanted ?? toNodeName(hostname())
    writeFileSync(file, `${node}\n`, {mode: 0o600})
    return node
  }
  const known = idSchema.safeParse(readFileSync(file, 'utf8').trim())
  if (!known.success) throw new TallyError('STATE_DIR_INVALID', `expected a node name in ${file}, got something else`)
  if (wanted !== undefined && known.data !== wanted) {
    throw new TallyError(
      'STATE_DIR_INVALID',
      `the state directory ${stateDir} is that of node ${known.data}, not of ${wanted}: expected --node ${known.data}`,
    )
  }
  return known.data
}

/** A host name may have dots, which would separate the tokens of a subject. */
export function toNodeName(host: string): string {
  const name = host
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63)
  return name || 'local'
}
