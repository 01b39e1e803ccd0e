#!/bin/sh
# dracut hook, sourced before the switch to $NEWROOT, with and without systemd in the initramfs.
/bin/sh /hacktree/prepare-root "$NEWROOT" || die "hacktree: cannot prepare the deployed root"
