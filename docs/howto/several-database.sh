sudo -u postgres createuser --pwprompt patches
sudo -u postgres createdb --owner patches patches
