#!/bin/sh
echo ran > @MARKERS@/ran
