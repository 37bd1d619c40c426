import {expect, it} from 'vitest'
import {createSupervisorCounts} from '../../../../src/coordinator/supervision/supervisor-counts.ts'
import type {ContainerName} from '../../../../src/layout/container-name.ts'
import type {ShimStatus} from '../../../../src/shim/client/control.ts'

const web = {namespace: 'default', id: 'web'}

function open() {
  const present = new Set(['web'])
  let onStatus: (name: ContainerName, status: ShimStatus, former: ShimStatus | undefined) => void = () => {}
  let onEnd: (name: ContainerName) => void = () => {}
  const counts = createSupervisorCounts(
    {
      onStatus: (listener) => {
        onStatus = listener
      },
      onEnd: (listener) => {
        onEnd = listener
      },
    },
    ({id}) => present.has(id),
  )
  const tell = (starts: number, deaths: number) =>
    onStatus(
      web,
      {
        ...{protocol: 1, phase: 'up', leaving: 'stays', pid: 7, starts, deaths, last: undefined},
        ...{startAtMs: undefined, deadlineMs: undefined, watched: 0, ended: 0, stdios: 0},
      },
      undefined,
    )
  return {tell, end: () => onEnd(web), present, read: () => [counts.starts, counts.deaths]}
}

it('what a shim counted before it was known is not counted again', () => {
  const {tell, read} = open()
  tell(57, 3)
  expect(read()).toEqual([0, 0])
  tell(58, 3)
  // The connection was lost for a while.
  tell(60, 4)
  expect(read()).toEqual([3, 1])
})

it('the next shim of a container counts from its own start', () => {
  const {tell, end, read} = open()
  tell(1, 0)
  end()
  tell(1, 0)
  expect(read()).toEqual([1, 0])
  // One whose end was not seen.
  tell(5, 2)
  tell(1, 0)
  expect(read()).toEqual([6, 2])
})

it('another container with the id of one that is gone begins anew', () => {
  const {tell, end, present, read} = open()
  tell(4, 0)
  present.clear()
  end()
  present.add('web')
  tell(1, 0)
  expect(read()).toEqual([0, 0])
})
