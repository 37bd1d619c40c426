import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

const numbers = (count: number) => Array.from({length: count}, (_, index) => `${index + 1}\n`).join('')
const filesOf = (name: string) => readdirSync(join(node.stateDir, 'containers/default', name)).filter((file) => /^log(\.\d+)?$/.test(file))

it('follow a flood over many rotations, with every line once', async () => {
  const options = ['--log-opt', 'max-size=512k', '--log-opt', 'max-file=900']
  const ran = node.spawn('run', '--name', 'flood', ...options, '--rootfs', node.rootfs, 'seq', '1', '300000')
  await eventually('begun', async () => (await node.tally('inspect', 'flood')).exitCode === 0)
  const followed = node.spawn('logs', '-f', 'flood')
  expect(`${(await ran).stdout}\n`).toBe(numbers(300_000))
  expect(`${(await followed).stdout}\n`).toBe(numbers(300_000))
  expect(filesOf('flood').length).toBeGreaterThan(10)
  expect((await node.tally('logs', 'flood')).stdout).toBe(numbers(300_000))
  expect((await node.tally('logs', '--tail', '3', 'flood')).stdout).toBe('299998\n299999\n300000\n')
  expect((await node.tally('rm', 'flood')).exitCode).toBe(0)
})

it('keep the latest files, and count on from what they dropped', async () => {
  const options = ['--log-opt', 'max-size=100k', '--log-opt', 'max-file=2']
  await node.tally('run', '--name', 'short', ...options, '--rootfs', node.rootfs, 'seq', '1', '50000')
  expect(filesOf('short')).toHaveLength(2)
  const {stdout, exitCode} = await node.tally('logs', 'short')
  expect(exitCode).toBe(0)
  expect(stdout.length).toBeLessThan(numbers(50_000).length)
  expect(numbers(50_000).endsWith(`\n${stdout}`)).toBe(true)
  const attached = await node.tally('logs', '--tail', '2', 'short')
  expect(attached.stdout).toBe('49999\n50000\n')
  expect((await node.tally('rm', 'short')).exitCode).toBe(0)
})

it('are no larger than asked for, though a line is short and a file small', async () => {
  const options = ['--log-opt', 'max-size=1k', '--log-opt', 'max-file=1']
  await node.tally('run', '--name', 'tiny', ...options, '--rootfs', node.rootfs, 'sh', '-c', 'yes "" | head -n 300000')
  expect(filesOf('tiny')).toEqual(['log'])
  const file = readFileSync(join(node.stateDir, 'containers/default/tiny/log'), 'utf8')
  expect(file.length).toBeLessThanOrEqual(1024)
  expect(file).toMatch(/^(\S+ stdout F \n)+$/)
  expect((await node.tally('rm', 'tiny')).exitCode).toBe(0)
})

it('are followed over every seam of small files', async () => {
  const options = ['--log-opt', 'max-size=1k', '--log-opt', 'max-file=900']
  const script = 'for i in 1 2 3 4 5; do seq $((i*1000-999)) $((i*1000)); sleep 0.2; done'
  expect((await node.tally('create', '--name', 'seams', ...options, '--rootfs', node.rootfs, 'sh', '-c', script)).exitCode).toBe(0)
  const followed = node.spawn('logs', '-f', 'seams')
  await node.tally('start', 'seams')
  expect(`${(await followed).stdout}\n`).toBe(numbers(5_000))
  expect(filesOf('seams').length).toBeGreaterThan(200)
  expect((await node.tally('rm', 'seams')).exitCode).toBe(0)
})

it('end before a time, when told to', async () => {
  const script = 'echo early; sleep 2; echo late'
  await node.tally('run', '--name', 'timed', '--rootfs', node.rootfs, 'sh', '-c', script)
  const {startedAt} = await node.json<{readonly startedAt: string}>('inspect', 'timed')
  const between = new Date(Date.parse(startedAt) + 1_000).toISOString()
  expect((await node.tally('logs', '--until', between, 'timed')).stdout).toBe('early\n')
  expect((await node.tally('logs', '--since', between, 'timed')).stdout).toBe('late\n')
  expect((await node.tally('rm', 'timed')).exitCode).toBe(0)
})

it('refuse options that are none', async () => {
  const run = (...options: readonly string[]) => node.tally('create', ...options, '--rootfs', node.rootfs, 'true')
  expect((await run('--log-opt', 'max-size=many')).stderr).toContain('expected a size such as 64m')
  expect((await run('--log-opt', 'max-files=3')).stderr).toContain('expected max-size=SIZE or max-file=COUNT')
  expect((await run('--log-opt', 'max-file=3')).stderr).toContain('expected --log-opt max-size=SIZE')
})
