# Where there is no network, in a fresh clone, with the folder wheelhouse beside it.
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$PWD/../wheelhouse"
make demo
