#!/bin/sh
# Unpacks what a node needs of Debian into a directory: nothing is installed, so no service starts and no file of the
# machine changes. Libraries come along where the machine has none.
set -eu
target=$(realpath -m "$1") # apt takes relative paths for its own
wanted="containerd runc containernetworking-plugins iptables iproute2"

command -v apt-get >/dev/null || { echo "a node's containerd, runc, CNI plugins and iptables come from Debian packages, and there is no apt-get" >&2; exit 1; }
rm -rf "$target" "$target.new"
mkdir -p "$target.new/archives/partial" "$target.new/links"
trap 'rm -rf "$target.new"' EXIT

download() {
	apt-get -qq -o Dir::Cache::Archives="$target.new/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
		install --yes --download-only --reinstall --no-install-recommends $wanted
}
# Package lists may be missing, or older than what the mirror has.
download 2>/dev/null || { apt-get -qq update; download; }
for archive in "$target.new"/archives/*.deb; do
	dpkg-deb -x "$archive" "$target.new"
done
rm -rf "$target.new/archives" "$target.new/usr/share"

# link makes a command that finds its libraries wherever the directory is.
link() {
	cat >"$target.new/links/$1" <<LINK
#!/bin/sh
here=\$(dirname "\$(dirname "\$0")")
export LD_LIBRARY_PATH="\$(echo "\$here"/usr/lib/*-linux-gnu*):\$(echo "\$here"/lib/*-linux-gnu*)"
export XTABLES_LIBDIR="\$(echo "\$here"/usr/lib/*-linux-gnu*/xtables)"
exec "\$here/$2" $3 "\$@"
LINK
	chmod +x "$target.new/links/$1"
}
# Debian chooses between two kinds of iptables when it installs; here it is the one that every kernel of today has.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
	link $name usr/sbin/xtables-nft-multi $name
done
link ip bin/ip ""
mv "$target.new" "$target"
trap - EXIT
