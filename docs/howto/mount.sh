mount -o ro,loop,noexec disk.img /mnt/image
.venv/bin/patches scan --root /mnt/image --host golden-image-7
