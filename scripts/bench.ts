/** The time from the command to a running container, compared with runc alone. Prints medians, and leaves nothing behind. */
import {execFile, execFileSync} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {connectTally, type TallyClient} from '../src/client/index.ts'
import {makeBusyboxRootfs} from '../test/support/busybox.ts'

const rounds = 20
const tally = join(import.meta.dirname, '../bin/tally')
const dir = mkdtempSync(join(tmpdir(), 'tally-bench-'))
process.once('exit', () => rmSync(dir, {recursive: true, force: true}))
const runDir = join(dir, 'run')
const env = {...process.env, TALLY_STATE_DIR: join(dir, 'state'), TALLY_RUN_DIR: runDir, TALLY_NODE: 'bench'}
const rootfs = makeBusyboxRootfs(dir)

await promisify(execFile)(tally, ['up', '-d'], {env})
try {
  await using client = await connectTally({runDir})
  const bundle = await makeBundle(client)
  await measure('runc run -d, nothing else', async (round) => {
    const id = `bench-${process.pid}-${round}`
    // The container inherits stdio: with pipes, execFileSync would wait for the container.
    execFileSync('runc', ['--root', join(dir, 'runc'), 'run', '-d', '--bundle', bundle, id], {stdio: 'ignore'})
    return async () => void execFileSync('runc', ['--root', join(dir, 'runc'), 'delete', '--force', id])
  })
  await measure('create and start, over NATS', async (round) => {
    const container = client.container((await client.create({id: `c${round}`, rootfs, args: ['sleep', '100']})).id)
    await container.start()
    return () => container.delete({force: true})
  })
  await measure('tally run -d', async (round) => {
    await promisify(execFile)(tally, ['run', '-d', '--name', `t${round}`, '--rootfs', rootfs, 'sleep', '100'], {env})
    return () => client.container(`t${round}`).delete({force: true})
  })
  await measure('tally version, for the start of Node.js', async () => {
    await promisify(execFile)(tally, ['version'], {env})
    return async () => {}
  })
} finally {
  await promisify(execFile)(tally, ['down', '--containers'], {env})
}

/** The generated bundle of a container, for runc alone. */
async function makeBundle(client: TallyClient): Promise<string> {
  const {id} = await client.create({id: 'model', rootfs, args: ['sleep', '100']})
  const bundle = join(dir, 'bundle')
  mkdirSync(bundle)
  cpSync(join(dir, 'state/containers/default', id, 'config.json'), join(bundle, 'config.json'))
  await client.container(id).delete({force: true})
  return bundle
}

/** One at a time, with a pause in which the next supervisor becomes ready, as on a machine that is not busy. */
async function measure(what: string, act: (round: number) => Promise<() => Promise<unknown>>): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const before = performance.now()
    const undo = await act(round)
    times.push(performance.now() - before)
    await undo()
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => `${(times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(0)} ms`.padStart(8)
  console.log(`${what.padEnd(44)} median${at(0.5)}   best${at(0)}   worst${at(1)}`)
}
