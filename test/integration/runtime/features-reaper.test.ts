import {expect, it} from 'vitest'
import {createChildReaper} from '../../../src/linux/child-reaper.ts'
import {readFeatures} from '../../../src/runtime/runc/features.ts'

it('a process that reaps orphans learns what the runtime can do, however often it looks for them', async () => {
  using reaper = createChildReaper()
  // The end of a hold is a look.
  const looks = setInterval(() => reaper.holdOrphans()[Symbol.dispose](), 0)
  try {
    for (let round = 0; round < 5; round += 1) {
      const asked = Array.from({length: 8}, () => readFeatures('runc', {onSpawn: reaper.spawned, onReaped: reaper.forget}))
      expect(await Promise.all(asked)).not.toContain(undefined)
    }
  } finally {
    clearInterval(looks)
  }
})
