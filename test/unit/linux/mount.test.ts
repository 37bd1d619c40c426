import {describe, expect, it} from 'vitest'
import {parseMountOptions} from '../../../src/linux/mount.ts'

const [MS_RDONLY, MS_NOSUID, MS_BIND, MS_REC, MS_PRIVATE] = [1, 2, 4096, 16_384, 1 << 18] as const

describe('the options of a mount', () => {
  it.each<[string, readonly string[], number, readonly number[], string]>([
    ['tmpfs', [], 0, [], ''],
    ['tmpfs', ['ro', 'nosuid', 'size=1m', 'mode=700'], MS_RDONLY | MS_NOSUID, [], 'size=1m,mode=700'],
    ['ext4', ['ro', 'rw', 'defaults'], 0, [], ''],
    ['bind', ['ro'], MS_BIND | MS_RDONLY, [], ''],
    ['none', ['rbind', 'rprivate'], MS_BIND | MS_REC, [MS_PRIVATE | MS_REC], ''],
    ['overlay', ['lowerdir=/a:/b', 'upperdir=/u'], 0, [], 'lowerdir=/a:/b,upperdir=/u'],
  ])('%s with %j', (type, options, flags, propagation, data) => {
    expect(parseMountOptions(type, options)).toEqual({flags, propagation, data})
  })
})
