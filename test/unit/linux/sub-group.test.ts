import {expect, it} from 'vitest'
import {type CgroupMount, parseMounts} from '../../../src/linux/cgroup.ts'
import {findPlace} from '../../../src/linux/sub-group.ts'

const line = (directory: string, type: string, options: string) => `1 1 0:1 / ${directory} rw - ${type} cgroup ${options}`
const mounts = (...lines: readonly string[]): readonly CgroupMount[] => parseMounts(lines.join('\n'))
const [freezer, memory, unified] = [
  line('/sys/fs/cgroup/freezer', 'cgroup', 'rw,freezer'),
  line('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory'),
  line('/sys/fs/cgroup/unified', 'cgroup2', 'rw'),
]
const below = (...names: readonly string[]) => names.map((name) => `/sys/fs/cgroup/${name}/tally-a`)

it('a nested cgroup is in the freezer hierarchy on v1, also on a hybrid host', () => {
  expect(findPlace(below('memory', 'freezer'), mounts(memory, freezer, unified))).toEqual({
    directory: '/sys/fs/cgroup/freezer/tally-a',
    controller: 'freezer:',
  })
})

it('a nested cgroup has no controllers on v2', () => {
  expect(findPlace(['/sys/fs/cgroup/tally-a'], mounts(line('/sys/fs/cgroup', 'cgroup2', 'rw')))).toEqual({
    directory: '/sys/fs/cgroup/tally-a',
    controller: '',
  })
})

it('there is no nested cgroup if the container has none, or if v1 lacks the freezer', () => {
  expect(findPlace([], mounts(memory, freezer))).toBeUndefined()
  expect(findPlace(below('memory', 'unified'), mounts(memory, unified))).toBeUndefined()
  expect(findPlace(below('memory'), mounts(memory, freezer))).toBeUndefined()
})
