#!/bin/bash
# dracut module, /usr/lib/dracut/modules.d/90hacktree: puts the step into the initramfs itself, for trees that are to boot without
# the overlay. The files come from /usr/lib/hacktree/initramfs.

check() { return 0; }
depends() { return 0; }

install() {
    local from=/usr/lib/hacktree/initramfs
    inst_multiple mount umount mkdir ln cat sleep chroot sh
    inst_simple "$from/hacktree-prepare-root" /hacktree/prepare-root
    inst_simple "$from/hacktree-boot-complete" /hacktree/boot-complete
    inst_hook pre-pivot 50 "$from/overlay/pre-pivot.sh"
}
