import {describe, expect, it} from 'vitest'
import {removeContainer} from '../../../src/cli/remove-container.ts'
import {TallyError} from '../../../src/kernel/errors.ts'

const failing = (error: TallyError) => ({delete: () => Promise.reject(error)})

describe('removing a container', () => {
  it('succeeds when it is gone, or goes at this moment', async () => {
    await removeContainer(failing(new TallyError('CONTAINER_NOT_FOUND', 'no such container')))
    await removeContainer(failing(new TallyError('ILLEGAL_COMMAND', 'cannot delete', {details: {state: 'deleted'}})))
  })

  it('fails with every other error', async () => {
    const busy = new TallyError('ILLEGAL_COMMAND', 'cannot delete', {details: {state: 'creating'}})
    await expect(removeContainer(failing(busy))).rejects.toBe(busy)
    const unreachable = new TallyError('NATS_UNREACHABLE', 'no connection')
    await expect(removeContainer(failing(unreachable))).rejects.toBe(unreachable)
  })
})
