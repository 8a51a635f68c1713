mkdir -p ~/.local/share/bash-completion/completions
_PATCHES_COMPLETE=bash_source patches > ~/.local/share/bash-completion/completions/patches
