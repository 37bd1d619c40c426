/** A node in temporary directories whose processes are killed; the coordinator is restarted by its shim or, when that has given it up, by `tally up`. */
import {mkdirSync} from 'node:fs'
import {basename, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {execa} from 'execa'
import {connectTally, type TallyClient} from '../../src/client/index.ts'
import {failpointsVariable} from '../../src/supervisor/failpoints.ts'
import {makeBusyboxRootfs} from '../support/busybox.ts'
import {findLeftovers, type Leftovers, sweep} from '../support/leftovers.ts'
import {removeDirectory} from '../support/sweep.ts'
import {makeRunDirectory} from '../support/test-run.ts'

const program = join(import.meta.dirname, '../../bin/tally')

export interface ChaosNode {
  readonly dir: string
  readonly stateDir: string
  readonly runDir: string
  readonly rootfs: string
  readonly failpointsDir: string
  /** Used by this node only: the names of its containers' cgroups begin with it. */
  readonly namespace: string
  readonly env: NodeJS.ProcessEnv
  /** Returns a connected client; waits until a connection is possible. */
  client(): Promise<TallyClient>
  /** Starts the coordinator, unless its shim does, retrying until it answers. */
  up(): Promise<void>
  /** Ends the node and removes its remains by force. @returns the remains */
  close(): Promise<Leftovers>
}

export interface ChaosNodeOptions {
  /** Additional arguments of `tally up`. */
  readonly upArgs?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

export async function startChaosNode({upArgs = [], env: more = {}}: ChaosNodeOptions = {}): Promise<ChaosNode> {
  const dir = makeRunDirectory('chaos')
  const [stateDir, runDir, failpointsDir] = [join(dir, 'state'), join(dir, 'run'), join(dir, 'failpoints')]
  mkdirSync(failpointsDir)
  const namespace = basename(dir).replace(/[^A-Za-z0-9]/g, '')
  const env = {
    TALLY_STATE_DIR: stateDir,
    TALLY_RUN_DIR: runDir,
    TALLY_NODE: 'chaos',
    TALLY_NAMESPACE: namespace,
    [failpointsVariable]: failpointsDir,
    ...more,
  }
  const rootfs = makeBusyboxRootfs(dir)
  let current: TallyClient | undefined
  let connecting: Promise<TallyClient> | undefined
  await up()

  return {
    dir,
    stateDir,
    runDir,
    rootfs,
    failpointsDir,
    namespace,
    env,
    client: async () => {
      if (current && !current.connection.isClosed()) return current
      connecting ??= connect()
      return await connecting
    },
    up,
    close,
  }

  async function connect(): Promise<TallyClient> {
    for (;;) {
      try {
        current = await connectTally({runDir, actor: 'chaos'})
        connecting = undefined
        return current
      } catch {
        await sleep(100)
      }
    }
  }

  async function up(): Promise<void> {
    for (const giveUpAt = Date.now() + 120_000; ; await sleep(200)) {
      const {exitCode, stderr} = await execa(program, ['up', '-d', ...upArgs], {env, reject: false})
      // Its shim may be about to start it, or one that was started may not answer yet.
      if (exitCode === 0 || (stderr.includes('NODE_RUNNING') && (await execa(program, ['info'], {env, reject: false})).exitCode === 0))
        return
      if (Date.now() > giveUpAt) throw new Error(`the coordinator does not start: ${stderr}`)
    }
  }

  async function close(): Promise<Leftovers> {
    await current?.connection.close()
    await execa(program, ['down', '--containers'], {env, reject: false})
    const left = await findLeftovers({dirs: [dir], isOwnGroup: (name) => name.startsWith(`tally-${namespace}-`)})
    await sweep(left)
    removeDirectory(dir)
    return left
  }
}
