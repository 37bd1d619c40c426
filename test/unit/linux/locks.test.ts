import {describe, expect, it} from 'vitest'
import {readLockHolders} from '../../../src/linux/locks.ts'

describe('the locks of the kernel', () => {
  it('are listed by inode: only held locks of flock(2)', () => {
    const text = `1: FLOCK  ADVISORY  WRITE 4711 00:1f:123456 0 EOF
1: -> FLOCK  ADVISORY  WRITE 4712 00:1f:123456 0 EOF
2: POSIX  ADVISORY  WRITE 17 08:01:99 0 EOF
3: FLOCK  ADVISORY  READ  18 08:01:98 0 EOF
4: FLOCK  ADVISORY  WRITE 19 fd:00:97 0 EOF
5: FLOCK  ADVISORY  WRITE -1 fe:00:77 0 EOF
`
    expect([...readLockHolders(text)]).toEqual([
      [123456, 4711],
      [97, 19],
      [77, -1],
    ])
  })
})
