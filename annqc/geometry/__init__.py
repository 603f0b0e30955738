"""Shapes: conversion, validity and their maths, used by every step that follows reading."""
