import {describe, expect, it} from 'vitest'
import {connectTally} from '../../src/client/index.ts'
import {largestRequestBytes} from '../../src/messaging/codec.ts'
import {listRemains} from '../support/churn.ts'
import {eventually, startNode} from '../support/tally-node.ts'

describe('a create as large as it may be', () => {
  it('makes its container, which is given all of it', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    const numbers = Array.from({length: 24_000}, (_, index) => String(index + 1))
    const script = 'echo $#; sleep 0.1'
    expect(await node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script, 'sh', ...numbers)).toMatchObject({
      exitCode: 0,
      stdout: '24000\n',
    })
    const request = {id: 'full', namespace: 'default', rootfs: node.rootfs, args: ['true']}
    const fill = largestRequestBytes - Buffer.byteLength(JSON.stringify({...request, labels: {note: ''}}))
    const view = await client.create({...request, labels: {note: 'x'.repeat(fill)}})
    expect(view.labels?.['note']).toHaveLength(fill)
    const full = client.container('full')
    await full.start()
    expect((await full.wait()).exit).toEqual({type: 'code', code: 0})
    await full.delete()
    await expect(client.create({...request, labels: {note: 'x'.repeat(fill + 1)}})).rejects.toMatchObject({code: 'REQUEST_TOO_LARGE'})
    await eventually('nothing is left', () => listRemains(node).length === 0)
  })

  it('that fails is answered with its error, and leaves nothing', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    const args = ['/none', ...Array.from({length: 10_000}, () => 'an argument')]
    await expect(client.create({id: 'failing', rootfs: node.rootfs, args})).rejects.toMatchObject({code: 'COMMAND_NOT_FOUND'})
    expect(listRemains(node)).toEqual([])
    expect(await client.list({all: true})).toEqual([])
    await client.create({id: 'failing', rootfs: node.rootfs, args: ['true']})
  })
})
