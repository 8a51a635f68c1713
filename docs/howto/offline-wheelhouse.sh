# Where there is a network, in a checkout. setuptools builds Patches from the checkout.
python3 -m pip wheel --wheel-dir wheelhouse 'setuptools>=77' '.[all]'
