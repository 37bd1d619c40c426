/** How long a command takes while its container writes all that it can: measured, so that this file runs alone. */
import {expect, it} from 'vitest'
import {useNode} from '../support/tally-node.ts'

const node = useNode()

it('a flood of output does not hold up the commands of its own container', async () => {
  await node.tally('run', '-d', '--name', 'box', '--rootfs', node.rootfs, 'sleep', '600')
  const timed = async () => {
    const begin = performance.now()
    expect((await node.tally('exec', 'box', 'true')).exitCode).toBe(0)
    return performance.now() - begin
  }
  const best = async () => Math.min(await timed(), await timed(), await timed())
  const quiet = await best()
  expect((await node.tally('exec', '-d', '--id', 'flood', 'box', 'yes')).exitCode).toBe(0)
  const flooded = await best()
  // 6 s and more when it does; otherwise about as long as without, on a machine on which others work as well.
  expect(flooded).toBeLessThan(3 * quiet + 1_000)
  expect((await node.tally('kill', '--exec', 'flood', 'box')).exitCode).toBe(0)
  expect((await node.tally('wait', '--exec', 'flood', 'box')).exitCode).toBe(0)
  expect((await node.tally('rm', '--exec', 'flood', 'box')).exitCode).toBe(0)
})
