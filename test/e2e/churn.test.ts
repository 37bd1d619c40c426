/** TALLY_CHURN_LIVES is the number of lives, by default 60; 1,000 take some minutes on two processors. */
import {describe, expect, it} from 'vitest'
import {churn, listRemains} from '../support/churn.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const lives = Number(process.env['TALLY_CHURN_LIVES'] ?? 60)
const few = Math.ceil(lives / 3)
const patience = {timeout: 300_000 + lives * 2_000}

describe('containers that come and go, four at a time', () => {
  it('all exit statuses are true, no command fails, and nothing is left', patience, async () => {
    await using node = await startNode()
    expect(await churn(node, {lives})).toEqual([])
    await expectNothing(node)
  })

  it('the same where namespaces come and go with them, and ids are used again', patience, async () => {
    await using node = await startNode()
    const names = {namespace: (life: number) => `ns-${life % 3}`, id: (_life: number, leader: number) => `again-${leader}`}
    expect(await churn(node, {lives: few, ...names})).toEqual([])
    await expectNothing(node)
  })

  it('the same where an id is taken as soon as it is free: no command reaches the container that had it before', patience, async () => {
    await using node = await startNode()
    const fails = (life: number) => life % 5 === 4
    expect(await churn(node, {lives: few, id: (life) => `turn-${life % 2}`, sharesIds: true, fails})).toEqual([])
    await expectNothing(node)
  })

  it('the same where each has processes added', patience, async () => {
    await using node = await startNode()
    const faults = await churn(node, {
      lives: few,
      meanwhile: async (container, life) => {
        const added = await Promise.all(['a', 'b'].map((exec) => container.addProcess({exec, args: ['sh', '-c', `exit ${life % 50}`]})))
        for (const {exec} of added) {
          const {exit} = await container.process(exec).wait()
          expect(exit).toEqual({type: 'code', code: life % 50})
        }
        await container.process('a').delete()
      },
    })
    expect(faults).toEqual([])
    await expectNothing(node)
  })

  it('the same where the coordinator is killed in between', patience, async () => {
    await using node = await startNode()
    const {coordinatorPid} = await node.info()
    let isOver = false
    const churned = churn(node, {lives: few, namespace: (life) => `ns-${life % 2}`}).finally(() => {
      isOver = true
    })
    for (let pid = coordinatorPid, kills = 0; !isOver && kills < 5; kills += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      sendSignal(pid, 'SIGKILL')
      // Its shim starts another.
      pid = (await node.info()).coordinatorPid
    }
    expect(await churned).toEqual([])
    await expectNothing(node)
  })
})

async function expectNothing(node: TallyNode): Promise<void> {
  await eventually('nothing is left', () => listRemains(node).length === 0).catch(() => {})
  expect(listRemains(node)).toEqual([])
  expect(await node.json('ps', '-a')).toEqual([])
  expect(await node.tally('fsck')).toMatchObject({exitCode: 0})
}
